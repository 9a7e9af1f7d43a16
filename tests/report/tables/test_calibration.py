from __future__ import annotations

from dataclasses import replace

from rewardlab.report.comparison import Comparison
from rewardlab.report.figures import figures
from rewardlab.report.tables.calibration import calibration
from tests.report.tables.cells import cell

STATED = {
    "n": 80,
    "ece": 0.125,
    "brier": 0.2,
    "confidence": 0.875,
    "accuracy": 0.75,
    "bins": [
        {
            "low": 0.8,
            "high": 0.9,
            "n": 80,
            "confidence": 0.875,
            "accuracy": {
                "point": 0.75,
                "low": 0.65,
                "high": 0.83,
                "n": 80,
                "clusters": 80,
                "reason": "",
                "method": "Wilson",
            },
        }
    ],
}


def stating(comparison: Comparison) -> Comparison:
    """The comparison with a confidence stated by its second arm."""
    arms = list(comparison.arms)
    arms[1] = replace(arms[1], run=replace(arms[1].run, metrics={**arms[1].run.metrics, "calibration": STATED}))
    return replace(comparison, arms=tuple(arms))


def test_only_arms_that_state_a_confidence_are_rows(comparison: Comparison) -> None:
    frame = calibration(stating(comparison))
    assert frame is not None and [row[0].text for row in frame.rows] == [comparison.arms[1].label]
    label = comparison.arms[1].label
    assert [cell(frame, label, title).text for title in ("choices", "ECE", "Brier")] == ["80", "12.5", "0.200"]
    assert calibration(comparison) is None


def test_the_reliability_diagram_is_drawn_where_there_is_one_to_draw(comparison: Comparison) -> None:
    assert "ECE 12.5, n 80" in figures(stating(comparison))["reliability"].svg
    assert "reliability" not in figures(comparison)
