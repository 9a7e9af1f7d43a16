"""Entry points: Hydra mains that speak to the user in sentences.

`main` wraps a function of a composed config. A `UserError` prints its message and no traceback; a wrong group option
or key is answered with the nearest valid names before Hydra is asked. Everything heavy is imported by the function
itself, so `--help` stays quick.

In a sweep (`-m`) a job that fails does not keep the others from running; the sweep then ends with status 1. A job that
is asked to stop ends the sweep.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException, InstantiationException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from rewardlab.errors import MissingRequirement, UnknownName, UserError

CONFIGS = Path(__file__).parents[2] / "configs"
INTERRUPTED = 130  # status of a program that SIGINT ended

# Launchers of sweeps: the module that each needs, and the extra of this package that brings it.
LAUNCHERS = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "joblib"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "ray": ("ray", "ray"),
}


class JobFailed(CompactHydraException):
    """A job of a sweep ended with a status other than 0. Hydra shows it without a traceback, from any process."""


def main(config_name: str) -> Callable[[Callable[[DictConfig], int]], Callable[[], None]]:
    """Make a Hydra main of a function that returns an exit status.

    Args:
        config_name: Root yaml of the entry point in configs/.
    """

    def decorate(function: Callable[[DictConfig], int]) -> Callable[[], None]:
        statuses: list[int] = []

        @hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=config_name)
        def job(config: DictConfig) -> None:
            try:
                status, problem = function(config), ""
            except MissingMandatoryValue as error:
                problem = f"{error.full_key} has no value; set {error.full_key}="
                sys.stderr.write(f"{problem}\n")
                status = UserError.exit_status
            except (UserError, InstantiationException) as error:
                cause = cause_of(error)
                if not isinstance(cause, UserError):
                    raise
                sys.stderr.write(f"{cause}\n")
                status, problem = cause.exit_status, f": {cause}"
            if status == INTERRUPTED and in_sweep():
                raise KeyboardInterrupt  # or the next job would begin
            if status and in_sweep():
                # A job may run in another process, where `statuses` is another list.
                raise JobFailed(f"a job of the sweep ended with status {status}{problem}")
            statuses.append(status)

        def run() -> None:
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            # Imports make a million objects that stay. Looking through them for garbage, again and again and once more
            # at the end, takes seconds.
            gc.set_threshold(50_000)
            atexit.register(gc.freeze)
            try:
                check_overrides(sys.argv[1:], config_name)
            except UserError as error:
                sys.exit(str(error))
            try:
                job()
            except KeyboardInterrupt:
                sys.exit(INTERRUPTED)
            if any(statuses):
                sys.exit(max(statuses))

        return run

    return decorate


def cause_of(error: BaseException) -> BaseException | None:
    """What was raised: Hydra wraps the errors of constructors in one of its own."""
    return error.__cause__ if isinstance(error, InstantiationException) else error


def in_sweep() -> bool:
    """Whether this is a job of a sweep."""
    return HydraConfig.initialized() and HydraConfig.get().mode is RunMode.MULTIRUN


def check_overrides(arguments: list[str], config_name: str) -> None:
    """Refuse overrides that name no group, option or key.

    Args:
        arguments: The command line.
        config_name: Root yaml of the entry point.

    Raises:
        UnknownName: With the nearest valid names.
        MissingRequirement: When a launcher is not installed.
    """
    groups = {p.name: {f.stem for f in p.glob("*.yaml")} for p in CONFIGS.iterdir() if p.is_dir()}
    root = OmegaConf.load(CONFIGS / f"{config_name}.yaml")
    keys = {str(k) for k in root if k not in ("defaults", "hydra")} | groups.keys()
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name == "hydra/launcher" and value in LAUNCHERS:
            _check_launcher(value)
        if not equals or argument.startswith(("-", "+", "~", "hydra")):
            continue
        top = name.split(".")[0].split("@")[0].split("/")[0]
        if top not in keys:
            raise UnknownName("setting", top, keys)
        if name in groups:
            for option in value.split(","):
                if option not in groups[name]:
                    raise UnknownName(name, option, groups[name])


def _check_launcher(name: str) -> None:
    module, extra = LAUNCHERS[name]
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise MissingRequirement(f"hydra/launcher={name} is not installed", f"pip install 'rewardlab[{extra}]'")
