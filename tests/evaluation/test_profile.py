from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from rewardlab.errors import MissingRequirement
from rewardlab.evaluation.profile import arms


def test_a_value_that_is_left_to_the_command_line_is_asked_for(root: Path) -> None:
    with initialize_config_dir(str(root / "configs"), version_base="1.3"):
        with pytest.raises(MissingRequirement, match=r"leaves profile\.adapters\.static to the command line"):
            arms(compose("reproduce", overrides=["profile=tuning", "profile.adapters.static=???"]))
        given = [f"profile.adapters.{n}=F" for n in ("static", "static_tokens", "reasoned", "reasoned_tokens", "skill")]
        found = arms(compose("reproduce", overrides=["profile=tuning", *given]))
    assert sum("model.adapter='F'" in overrides for overrides in found) == 9
