"""How sure a judge said it was, against how often it was right.

A confidence is the probability that a judge gave to its own choice: the label's share of the probability of all labels,
or the share of votes of a panel. The scores of a readout or of a reward model are no probabilities, so these judges
state none; nor do judges that ask no model. A run has calibration figures when every choice in it has a confidence.

Both orders of a pair count, each with what was said and shown in it. An outcome is right when the choice is among the
right candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rewardlab.stats.calibration import brier, expected_calibration_error, reliability_curve
from rewardlab.verdict import Judgment, Source


def calibration(judgments: Sequence[Judgment], gold: Mapping[str, frozenset[str]]) -> dict[str, Any] | None:
    """Calibration of a run, JSON-like; None where a choice has no confidence, or there is no choice.

    Args:
        judgments: Rows of the run.
        gold: Task id to the ids of its right candidates.

    Returns:
        `n` choices, `ece`, `brier`, mean `confidence`, `accuracy`, and the `bins` that are not empty.
    """
    chosen = [j for j in judgments if j.verdict.choice is not None and j.verdict.source is not Source.FALLBACK]
    stated = [confidence(judgment) for judgment in chosen]
    sure = [share for share in stated if share is not None]
    if not sure or len(sure) < len(stated):
        return None
    right = [float(j.verdict.choice in gold[j.task_id]) for j in chosen]
    bins = [found for found in reliability_curve(sure, right) if found.n]
    return {
        "n": len(sure),
        "ece": expected_calibration_error(sure, right).value,
        "brier": brier(sure, right).value,
        "confidence": sum(sure) / len(sure),
        "accuracy": sum(right) / len(right),
        "bins": [found._asdict() | {"accuracy": found.accuracy._asdict()} for found in bins],
    }


def confidence(judgment: Judgment) -> float | None:
    """The probability that a judge gave to its choice; None where it chose nothing or stated none."""
    verdict = judgment.verdict
    if verdict.choice is None or verdict.choice not in verdict.scores or verdict.readout or not verdict.usage.calls:
        return None
    shares = verdict.scores.values()
    # Labels may leave a part to the tie; what sums to more than one is no distribution.
    if min(shares) < 0 or sum(shares) > 1 + 1e-9:
        return None
    return min(1.0, verdict.scores[verdict.choice])
