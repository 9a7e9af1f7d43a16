"""A profile: several runs that belong to one table.

A profile lists its arms as overrides of the config of experiments/evaluate.py, so every run of a profile can be made
alone by the same overrides. Arms run one after another, each in its own folder; what is finished is not run again. An
arm that builds on an earlier one (a budget to match, rows to read out again) writes its folder as `{run:NAME}`, with
the judge's name of that arm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hydra import compose
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError

from rewardlab.entry import cause_of
from rewardlab.errors import MissingRequirement, UnknownName, UserError
from rewardlab.evaluation.forecast import Forecast
from rewardlab.evaluation.run import Run
from rewardlab.evaluation.session import Session

_EARLIER = re.compile(r"\{run:([^{}]+)\}")


def run_profile(config: DictConfig) -> list[Run]:
    """Run every arm of a profile.

    Args:
        config: The composed config of experiments/reproduce.py; called within its Hydra main.

    Raises:
        UserError: When an arm cannot start, or names an arm that is not an earlier one; finished arms stay.
    """
    runs: list[Run] = []
    folders: dict[str, str] = {}
    with Session() as session:
        for overrides in arms(config):
            run = session.run(_composed(placed(overrides, folders)))
            folders[run.manifest["judge"]] = str(run.folder)
            runs.append(run)
    return runs


def forecast_profile(config: DictConfig) -> tuple[list[Forecast], list[str]]:
    """Judge a sample of every arm of a profile, and say what the rest would need.

    Args:
        config: As for `run_profile`, with `dry_run_sample`.

    Returns:
        The forecasts, and what the arms lack that cannot be measured yet (one that builds on another arm's finished
        run).

    Raises:
        UserError: When an arm is wrong.
    """
    found: list[Forecast] = []
    lacking: list[str] = []
    folders: dict[str, str] = {}
    with Session() as session:
        for overrides in arms(config):
            try:
                here = [*placed(overrides, folders), f"dry_run_sample={config.dry_run_sample}"]
                found.append(session.forecast(_composed(here)))
                folders[found[-1].judge] = found[-1].folder
            except (MissingRequirement, InstantiationException) as error:
                if not isinstance(cause := cause_of(error), MissingRequirement):
                    raise
                lacking.append(f"no forecast of {' '.join(overrides)}: {cause}")
    return found, lacking


def _composed(overrides: list[str]) -> DictConfig:
    config = compose("evaluate", overrides=overrides)
    if config.devices > 1:
        # Every further process starts the whole command again, and would begin with the first arm.
        raise UserError("devices over 1 go with one run a command: run this arm with experiments/evaluate.py")
    return config


def arms(config: DictConfig) -> list[list[str]]:
    """The overrides of every arm, the shared ones first.

    Raises:
        MissingRequirement: When the profile leaves a value to the command line that is not given.
    """
    try:
        profile = OmegaConf.to_container(config.profile, resolve=True)
    except InterpolationToMissingValueError as error:
        missing = str(error).splitlines()[0].rpartition(" ")[2]
        what = f"profile {config.profile.name} leaves {missing} to the command line"
        raise MissingRequirement(what, f"give {missing}=..., which configs/profile explains") from error
    assert isinstance(profile, dict)
    shared = [
        f"seed={config.seed}",
        f"limit={'null' if config.limit is None else config.limit}",
        f"results_dir={config.results_dir}",
        f"experiment_name={config.profile.name}",
        *profile["shared"],
    ]
    return [[*shared, *_flat(arm)] for arm in profile["arms"]]


def placed(overrides: Sequence[str], folders: Mapping[str, str]) -> list[str]:
    """Overrides with the folders of earlier arms in place of their names.

    Args:
        overrides: Of one arm.
        folders: Judge's name to the folder of its run.

    Raises:
        UnknownName: When no earlier arm has that name.

    >>> placed(["judge.budget_run={run:direct}"], {"direct": "results/direct-1"})
    ["judge.budget_run='results/direct-1'"]
    """

    def folder(name: str) -> str:
        if name not in folders:
            raise UnknownName("earlier arm of the profile", name, folders)
        return f"'{folders[name]}'"

    return [_EARLIER.sub(lambda found: folder(found[1]), override) for override in overrides]


def _flat(overrides: str | Sequence[str | Sequence[str]]) -> Iterator[str]:
    if isinstance(overrides, str):
        yield overrides
    else:
        for override in overrides:
            yield from _flat(override)
