"""Each yaml of the groups policy, tasks, reward and experiment names only arguments that its targets have."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

CONFIGS = Path(__file__).parents[2] / "configs"
NEEDED = {"policy=local": "policy.model=x", "reward=scalar": "reward.judge.reward_model=x",
          "reward=process": "reward.judge.reward_model=x"}  # fmt: skip
CHOICES = [
    *(
        f"{group}={file.stem}"
        for group in ("policy", "tasks", "reward")
        for file in sorted((CONFIGS / group).iterdir())
    ),
    "reward=noisy reward@reward.method=imperfect_skill",
]


@pytest.mark.parametrize("choice", CHOICES)
def test_a_config_fits_the_signatures_of_its_targets(choice: str) -> None:
    overrides = [*choice.split(), *([NEEDED[choice]] if choice in NEEDED else [])]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train_policy", overrides=[*overrides, "model=embedded"])
    found = 0

    def bind(node: Any) -> None:
        nonlocal found
        if isinstance(node, list):
            for inner in node:
                bind(inner)
        if isinstance(node, dict):
            if node.get("_recursive_", True):
                for inner in node.values():
                    bind(inner)
            if "_target_" in node:
                given = {k: v for k, v in node.items() if not k.startswith("_")}
                inspect.signature(get_object(node["_target_"])).bind(*node.get("_args_", ()), **given)
                found += 1

    bind(OmegaConf.to_container(config.method, resolve=True))
    assert found >= 8


@pytest.mark.parametrize("name", sorted(file.stem for file in (CONFIGS / "experiment").iterdir()))
def test_an_experiment_names_rewards_that_there_are(name: str) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train_policy", overrides=[f"+experiment={name}"], return_hydra_config=True)
    rewards = config.hydra.sweeper.params.reward.split(",")
    assert config.experiment_name == name
    assert all((CONFIGS / "reward" / f"{reward}.yaml").exists() for reward in rewards)
