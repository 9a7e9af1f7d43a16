"""A profile: several runs that belong to one table.

A profile lists its arms as overrides of the config of experiments/evaluate.py, so every run of a profile can be made
alone by the same overrides. Arms run one after another, each in its own folder; what is finished is not run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hydra import compose
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError

from rewardlab.errors import MissingRequirement
from rewardlab.evaluation.run import Run
from rewardlab.evaluation.session import Session


def run_profile(config: DictConfig) -> list[Run]:
    """Run every arm of a profile.

    Args:
        config: The composed config of experiments/reproduce.py; called within its Hydra main.

    Raises:
        UserError: When an arm cannot start; finished arms stay.
    """
    with Session() as session:
        return [session.run(compose("evaluate", overrides=overrides)) for overrides in arms(config)]


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


def _flat(overrides: str | Sequence[str | Sequence[str]]) -> Iterator[str]:
    if isinstance(overrides, str):
        yield overrides
    else:
        for override in overrides:
            yield from _flat(override)
