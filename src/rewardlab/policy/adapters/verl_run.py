"""A run of verl as data and a command: what configs/verl_verinstruct.yaml says, in verl's own words."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rewardlab.entry import CONFIGS
from rewardlab.policy.adapters import verl as reward
from rewardlab.policy.verinstruct import divided, write_parquet

# verl imports these modules in every process, and ours makes `masked_grpo` known to it.
EXTERNAL: Mapping[str, str] = {"VERL_USE_EXTERNAL_MODULES": reward.__name__}


def write_data(config: DictConfig) -> dict[str, int]:
    """Write train.parquet and validation.parquet, and count their prompts.

    Raises:
        UserError: When the data are missing or bad.
    """
    parts = divided(config.path, config.hub, config.validation, config.seed)
    for name, prompts in parts.items():
        write_parquet(prompts, Path(config.out) / f"{name}.parquet", name)
    return {name: len(prompts) for name, prompts in parts.items()}


def command(config: DictConfig) -> list[str]:
    """What starts verl."""
    out = Path(config.out).absolute()
    judge = OmegaConf.to_container(config.model, resolve=True)
    assert isinstance(judge, dict)
    chosen = [f"reward={config.reward}", "model=endpoint", f"model.name={judge['name']}"]
    chosen += [f"model.base_urls=[{','.join(judge['base_urls'])}]", *config.reward_overrides]
    place = "reward.custom_reward_function"
    settings: dict[str, Any] = {
        **config.verl,
        "data.train_files": str(out / "train.parquet"),
        "data.val_files": str(out / "validation.parquet"),
        "trainer.default_local_dir": str(out / "checkpoints"),
        f"{place}.path": reward.__file__,
        f"{place}.name": "compute_score",
        f"+{place}.reward_kwargs.configs": str(CONFIGS),
        f"+{place}.reward_kwargs.overrides": _listed(chosen),
    }
    return [sys.executable, "-m", "verl.trainer.main_ppo", *(f"{name}={_said(v)}" for name, v in settings.items())]


def _said(value: Any) -> str:
    """A value as Hydra's command line takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(values: list[str]) -> str:
    return "[" + ",".join(f"'{value}'" for value in values) + "]"
