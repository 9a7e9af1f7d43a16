"""A profile: several runs that belong to one table.

A profile lists its arms as overrides of the config of experiments/evaluate.py, so every run of a profile can be made
alone by the same overrides. Arms run one after another, each in its own folder; what is finished is not run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hydra import compose
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from rewardlab.entry import cause_of
from rewardlab.errors import MissingRequirement, UserError
from rewardlab.evaluation.forecast import Forecast
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
        return [session.run(_composed(overrides)) for overrides in arms(config)]


def forecast_profile(config: DictConfig) -> tuple[list[Forecast], list[str]]:
    """Judge a sample of every arm of a profile, and say what the rest would need.

    Args:
        config: As for `run_profile`, with `dry_run_sample`.

    Returns:
        The forecasts, and what the arms lack that cannot be measured yet (one whose budget is that of another arm's
        finished run).

    Raises:
        UserError: When an arm is wrong.
    """
    found: list[Forecast] = []
    lacking: list[str] = []
    with Session() as session:
        for overrides in arms(config):
            try:
                found.append(session.forecast(_composed([*overrides, f"dry_run_sample={config.dry_run_sample}"])))
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
    """The overrides of every arm, the shared ones first."""
    profile = OmegaConf.to_container(config.profile, resolve=True)
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
