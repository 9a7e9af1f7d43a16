"""A tiny policy, and configs of experiments/train_policy.py that take seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from rewardlab.models.local import load
from rewardlab.policy.model import Policy
from rewardlab.training.tuning import Lora
from tests.models.tiny_llama import save_tiny_llama

ROOT = Path(__file__).parents[2]


def folder(place: Path, **config: Any) -> Path:
    """A random Llama that draws varied text."""
    return save_tiny_llama(place, initializer_range=0.1, **config)


def policy(place: Path, tuning: Any = "full", reference: bool = False) -> Policy:
    """The policy of a folder."""
    model, tokenizer = load(str(place), "float32", "cpu")
    return Policy(model, tokenizer, tuning, Lora(4, 8), "made", reference, 0)


def overrides(place: Path, results: Path, *more: str) -> list[str]:
    """A run of six batches of rollouts over two epochs, against rules on sums."""
    return [
        "policy=local",
        f"policy.model={place}",
        "policy.tuning=full",
        "tasks=arithmetic",
        "tasks.families=[chain_sum,products]",
        "tasks.heldout=[]",
        "tasks.per_family=6",
        "tasks.validation_per_family=1",
        "tasks.test_per_family=2",
        "method.optimisation.batch_size=4",
        "method.optimisation.epochs=2",
        "method.optimisation.learning_rate=1e-3",
        "method.rollouts.group=3",
        "method.rollouts.decoding.max_tokens=8",
        "train.validate_every=2",
        "train.checkpoint_every=1",
        "train.accelerator=cpu",
        "tracking=none",
        f"results_dir={results}",
        *more,
    ]


def config(place: Path, results: Path, *more: str) -> DictConfig:
    """The same, composed."""
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("train_policy", overrides=overrides(place, results, *more))
