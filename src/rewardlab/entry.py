"""Entry points: Hydra mains that speak to the user in sentences.

`main` wraps a function of a composed config. A `UserError` prints its message and no traceback; a wrong group option
or key is answered with the nearest valid names before Hydra is asked. Everything heavy is imported by the function
itself, so `--help` stays quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from rewardlab.errors import UnknownName, UserError

CONFIGS = Path(__file__).parents[2] / "configs"


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
                statuses.append(function(config))
            except MissingMandatoryValue as error:
                sys.stderr.write(f"{error.full_key} has no value; set {error.full_key}=\n")
                statuses.append(UserError.exit_status)
            except (UserError, InstantiationException) as error:
                # Hydra wraps what a constructor raises.
                cause = error if isinstance(error, UserError) else error.__cause__
                if not isinstance(cause, UserError):
                    raise
                sys.stderr.write(f"{cause}\n")
                statuses.append(cause.exit_status)

        def run() -> None:
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            try:
                check_overrides(sys.argv[1:], config_name)
            except UserError as error:
                sys.exit(str(error))
            job()
            if any(statuses):
                sys.exit(max(statuses))

        return run

    return decorate


def check_overrides(arguments: list[str], config_name: str) -> None:
    """Refuse overrides that name no group, option or key.

    Args:
        arguments: The command line.
        config_name: Root yaml of the entry point.

    Raises:
        UnknownName: With the nearest valid names.
    """
    groups = {p.name: {f.stem for f in p.glob("*.yaml")} for p in CONFIGS.iterdir() if p.is_dir()}
    root = OmegaConf.load(CONFIGS / f"{config_name}.yaml")
    keys = {str(k) for k in root if k not in ("defaults", "hydra")} | groups.keys()
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or argument.startswith(("-", "+", "~", "hydra")):
            continue
        top = name.split(".")[0].split("@")[0].split("/")[0]
        if top not in keys:
            raise UnknownName("setting", top, keys)
        if name in groups:
            for option in value.split(","):
                if option not in groups[name]:
                    raise UnknownName(name, option, groups[name])
