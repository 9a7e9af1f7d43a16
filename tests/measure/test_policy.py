from __future__ import annotations

from pathlib import Path

import pytest

from rewardlab.measure import policy
from rewardlab.measure.policy import GrpoSteps, Steps
from rewardlab.measure.scoring import DifferentNumbers
from tests.policy.policies import folder


def test_policies_are_trained_on_the_same_rollouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl")
    figure = GrpoSteps(prompts=2, group=3, tokens=6, steps=2, at_least=1.0, model=str(folder(tmp_path / "base")))
    whole, rollouts, rest = figure.measure()
    ours, theirs = (Steps(**whole.raw[side]) for side in ("ours", "theirs"))
    assert whole.raw["tokens"] == 2 * 2 * 3 * 6
    assert ours.norm > 0 and ours.norm == pytest.approx(theirs.norm, rel=1e-3)
    assert 0 < ours.rollouts < ours.seconds and 0 < theirs.rollouts < theirs.seconds
    assert whole.measured == pytest.approx(72 / ours.seconds) and whole.at_least == 1.0
    assert rollouts.at_least is None is rest.at_least
    monkeypatch.setattr(policy.GrpoSteps, "_trl", lambda *_: theirs._replace(norm=2 * theirs.norm))
    with pytest.raises(DifferentNumbers, match="norms of the first gradient"):
        figure.measure()
