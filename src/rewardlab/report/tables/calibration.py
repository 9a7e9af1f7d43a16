"""Calibration: how sure the judges were of their choices, and how often they were right."""

from __future__ import annotations

from rewardlab.report.comparison import Comparison
from rewardlab.report.frame import Cell, Column, Frame, number, percent


def calibration(comparison: Comparison) -> Frame | None:
    """Confidence against outcome for every arm that states a confidence; None when no arm does."""
    arms = [(arm, arm.run.metrics["calibration"]) for arm in comparison.arms if "calibration" in arm.run.metrics]
    if not arms:
        return None
    columns = (
        Column("arm", "the judge", numeric=False),
        Column("choices", "judgments with a choice; both orders of a pair count"),
        Column("confidence %", "mean probability that the arm gave to its choice"),
        Column("right %", "choices that are right"),
        Column("ECE", "mean distance of the two over ten fixed bins, in points"),
        Column("Brier", "mean squared distance of confidence and outcome; 0.25 is always saying one half"),
    )
    caption = (
        f"{comparison.run.dataset}. Confidence: the label's share of the probability of all labels, or the share of "
        "votes; arms that decide by a readout state none. ECE has no interval, because it is biased upwards in small "
        f"samples. {comparison.provenance}"
    )
    rows = tuple(
        (
            Cell(arm.label, trace=arm.run.trace),
            number(found["n"], 0, trace=arm.run.trace),
            percent(found["confidence"], trace=arm.run.trace),
            percent(found["accuracy"], trace=arm.run.trace),
            percent(found["ece"], trace=arm.run.trace),
            number(found["brier"], 3, trace=arm.run.trace),
        )
        for arm, found in arms
    )
    return Frame("calibration", "Calibration of stated confidence", caption, columns, rows)
