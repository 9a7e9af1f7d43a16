from __future__ import annotations

from pathlib import Path

import pytest

from rewardlab.measure.scoring import DifferentNumbers, ScalarScoring
from rewardlab.measure.training import FineTuning, Loop, RewardTraining, _ratio
from rewardlab.models.reward_checkpoint import load_tokenizer
from tests.training.tiny import backbone


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny backbone whose texts do not end in its pad token, because transformers reads the last other token."""
    folder = backbone(tmp_path_factory.mktemp("base"), context=8192)
    tokenizer = load_tokenizer(str(folder))
    tokenizer.pad_token = "<s>"
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_scoring_is_compared_on_equal_scores(base: str) -> None:
    (ratio,) = ScalarScoring(1, 8, 1.0, base).measure()
    assert ratio.raw["answers"] == 30 and ratio.raw["largest_difference"] < 1e-4
    assert ratio.ratio == pytest.approx(ratio.raw["seconds"][1] / ratio.raw["seconds"][0])


@pytest.mark.parametrize("figure", [RewardTraining, FineTuning])
def test_training_is_compared_on_equal_batches(base: str, figure: type[RewardTraining | FineTuning]) -> None:
    pytest.importorskip("trl")
    (ratio,) = figure(2, 2, 1.0, base).measure()
    ours, theirs = (Loop(**ratio.raw[side]) for side in ("ours", "theirs"))
    assert len(ours.losses) == len(theirs.losses) == 3 and ours.seconds > 0 < theirs.seconds
    assert ours.losses[0] == pytest.approx(theirs.losses[0], abs=1e-4)
    assert ratio.raw["tokens"] > 100 and ratio.measured == pytest.approx(ratio.raw["tokens"] / ours.seconds)


def test_unequal_losses_give_no_ratio(tmp_path: Path) -> None:
    with pytest.raises(DifferentNumbers, match=r"0\.5.* and 0\.6"):
        _ratio("x", Loop([0.5], 1.0), Loop([0.6], 1.0), [], "y", 1.0)
