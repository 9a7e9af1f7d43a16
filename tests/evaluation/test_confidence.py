from __future__ import annotations

from typing import Any

import pytest

from rewardlab.evaluation.confidence import Calibration, confidence
from rewardlab.verdict import Judgment, Source, Status, Usage, Verdict

GOLD = {"t": frozenset("a")}
ASKED = Usage(calls=1)


def row(choice: str, scores: dict[str, float], **how: object) -> Judgment:
    verdict = Verdict(Status.OK, choice=choice, scores=scores, usage=ASKED, **how)  # type: ignore[arg-type]
    return Judgment("t", ("a", "b"), 0, verdict)


def calibration(rows: list[Judgment]) -> dict[str, Any] | None:
    found = Calibration(GOLD)
    for judgment in rows:
        found.add(judgment)
    return found.content()


def test_the_share_of_the_choice_is_its_confidence() -> None:
    assert confidence(row("a", {"a": 0.7, "b": 0.3})) == 0.7
    assert confidence(row("a", {"a": 0.5, "b": 0.2})) == 0.5  # the rest is the tie's


@pytest.mark.parametrize(
    "judgment",
    [
        pytest.param(row("a", {"a": 0.9, "b": 0.1}, readout="lexicographic"), id="a readout's scores"),
        pytest.param(row("a", {"a": 3.2, "b": -1.0}), id="a reward model's scores"),
        pytest.param(row("a", {"a": 0.9, "b": 0.8}), id="scores that are no distribution"),
        pytest.param(row("a", {}), id="no scores"),
        pytest.param(Judgment("t", ("a", "b"), 0, Verdict(Status.OK, choice="a", scores={"a": 0.6})), id="no model"),
        pytest.param(Judgment("t", ("a", "b"), 0, Verdict(Status.REFUSED, usage=ASKED)), id="no verdict"),
    ],
)
def test_nothing_else_is_a_confidence(judgment: Judgment) -> None:
    assert confidence(judgment) is None


def test_calibration_by_hand() -> None:
    rows = [
        row("a", {"a": 0.95, "b": 0.05}),
        row("b", {"a": 0.25, "b": 0.75}),
        Judgment("t", ("a", "b"), 0, Verdict(Status.REFUSED)),
    ]
    found = calibration(rows)
    assert found is not None
    assert (found["n"], found["accuracy"], found["confidence"]) == (2, 0.5, pytest.approx(0.85))
    assert found["ece"] == pytest.approx((0.05 + 0.75) / 2)
    assert found["brier"] == pytest.approx((0.05**2 + 0.75**2) / 2)
    assert [(b["n"], b["accuracy"]["point"]) for b in found["bins"]] == [(1, 0.0), (1, 1.0)]


def test_one_choice_without_a_confidence_leaves_none() -> None:
    assert calibration([row("a", {"a": 0.9, "b": 0.1}), row("a", {})]) is None
    assert calibration([]) is None


def test_a_fallbacks_confidence_is_not_the_judges() -> None:
    rows = [row("a", {"a": 0.9, "b": 0.1}), row("b", {}, source=Source.FALLBACK)]
    found = calibration(rows)
    assert found is not None and found["n"] == 1
