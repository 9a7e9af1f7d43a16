from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from rewardlab.policy.adapters.verl_run import command, write_data
from tests.policy.policies import ROOT
from tests.policy.test_verinstruct import ROWS, write


def config(tmp_path: Path) -> DictConfig:
    overrides = [
        f"path={write(tmp_path, ROWS)}",
        f"out={tmp_path / 'out'}",
        "validation=0.2",
        "model.name=judge",
        "model.base_urls=[http://a:8000/v1,http://b:8000/v1]",
    ]
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose("verl_verinstruct", overrides=overrides)


def test_data_and_command(tmp_path: Path) -> None:
    assert write_data(config(tmp_path)) == {"train": 8, "validation": 2}
    said = command(config(tmp_path))
    assert said[1:3] == ["-m", "verl.trainer.main_ppo"]
    settings = dict(part.split("=", 1) for part in said[3:])
    assert settings["actor_rollout_ref.rollout.n"] == "4" and settings["algorithm.use_kl_in_reward"] == "false"
    assert Path(settings["data.train_files"]).exists() and Path(settings["data.val_files"]).exists()


def test_the_reward_that_the_command_names_is_built_and_verl_knows_every_setting(tmp_path: Path) -> None:
    verl = pytest.importorskip("verl", reason="verl is not installed")
    from rewardlab.policy.adapters.verl import _method

    said, configs = command(config(tmp_path))[3:], Path(verl.__file__).parent / "trainer" / "config"
    with initialize_config_dir(str(configs), version_base="1.3"):
        kwargs = compose("ppo_trainer", overrides=said).reward.custom_reward_function.reward_kwargs
        assert _method(kwargs.configs, tuple(kwargs.overrides)).name == "skill_fixed"  # within verl's own Hydra
