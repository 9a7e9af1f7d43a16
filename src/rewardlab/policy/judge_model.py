"""The language model behind the judges of a reward, loaded once however many judges ask it."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from rewardlab.evaluation.session import build_generator
from rewardlab.models.protocol import Generator

_built: dict[str, Generator] = {}


def judge_model(model: DictConfig) -> Generator:
    """The model of a config of configs/model.

    Raises:
        UserError: When the config names no model.
    """
    key = OmegaConf.to_yaml(model, resolve=True)
    if key not in _built:
        _built[key] = build_generator(model)
    return _built[key]


def named_model(model: DictConfig) -> Generator | None:
    """The same; None when the config names no model."""
    return judge_model(model) if "_target_" in model else None
