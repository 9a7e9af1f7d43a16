"""How sure a judge said it was, against how often it was right.

A confidence is the probability that a judge gave to its own choice: the label's share of the probability of all labels,
or the share of votes of a panel. The scores of a readout or of a reward model are no probabilities, so these judges
state none; nor do judges that ask no model. A run has calibration figures when every choice in it has a confidence.

Both orders of a pair count, each with what was said and shown in it. An outcome is right when the choice is among the
right candidates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewardlab.stats.calibration import brier, expected_calibration_error, reliability_curve
from rewardlab.verdict import Judgment, Source


class Calibration:
    """Calibration over the rows of one run, which are added one by one and not kept.

    Args:
        gold: Task id to the ids of its right candidates.
    """

    def __init__(self, gold: Mapping[str, frozenset[str]]) -> None:
        self._gold = gold
        self._sure: list[float] = []
        self._right: list[float] = []
        self._unsaid = 0

    def add(self, judgment: Judgment) -> None:
        """Count one row; one without a choice of the judge's own says nothing."""
        choice = judgment.verdict.choice
        if choice is None or judgment.verdict.source is Source.FALLBACK:
            return
        stated = confidence(judgment)
        if stated is None:
            self._unsaid += 1
            return
        self._sure.append(stated)
        self._right.append(float(choice in self._gold[judgment.task_id]))

    def content(self) -> dict[str, Any] | None:
        """`n` choices, `ece`, `brier`, mean `confidence`, `accuracy`, and the `bins` that are not empty, JSON-like.

        None where a choice has no confidence, or there is no choice.
        """
        if not self._sure or self._unsaid:
            return None
        bins = [found for found in reliability_curve(self._sure, self._right) if found.n]
        return {
            "n": len(self._sure),
            "ece": expected_calibration_error(self._sure, self._right).value,
            "brier": brier(self._sure, self._right).value,
            "confidence": sum(self._sure) / len(self._sure),
            "accuracy": sum(self._right) / len(self._right),
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
