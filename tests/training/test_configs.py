"""Each yaml of the groups data, method and train names a callable and only arguments that it has."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

CONFIGS = Path(__file__).parents[2] / "configs"
CHOICES = [
    f"{group}={file.stem}" for group in ("data", "method", "train") for file in sorted((CONFIGS / group).iterdir())
]


@pytest.mark.parametrize("choice", CHOICES)
def test_a_config_fits_the_signature_of_its_target(choice: str) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose(
            "train_reward_model", overrides=[choice, "data.path=somewhere"] if "hh" in choice else [choice]
        )
    bound = 0

    def check(node: Any) -> None:
        nonlocal bound
        if isinstance(node, dict):
            for inner in node.values():
                check(inner)
            if "_target_" in node:
                given = {k: v for k, v in node.items() if k not in ("_target_", "_args_", "_partial_")}
                signature = inspect.signature(get_object(node["_target_"]))
                bind = signature.bind_partial if node.get("_partial_") else signature.bind
                bind(*node.get("_args_", ()), **given)
                bound += 1

    group = choice.partition("=")[0]
    check(OmegaConf.to_container(config[group]))
    assert bound >= 1


def test_each_method_has_data_of_its_own_that_the_command_line_may_replace() -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        found = {
            method: compose("train_reward_model", overrides=[f"method={method}"]).data._target_.rpartition(".")[2]
            for method in ("bradley_terry", "process", "judge")
        }
        other = compose("train_reward_model", overrides=["method=process", "data=solution_columns"])
    assert found == {"bradley_terry": "verifiable", "process": "generated", "judge": "verifiable"}
    assert other.data._target_.endswith("solution_data.columns")
