"""Taking in rows of training data: what cannot be used is counted with file and row, and too much of it is refused.

Nothing is left out silently. A source goes through its rows with an `Intake`, which notes every row that breaks the
schema or is useless for training (a missing side, an identical pair, an empty text or step, too many tokens) and every
input that had to be cut. The counts are part of a run's metrics, and the first places are named on the screen; above
the limits that the config sets, the run does not start.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from rewardlab.benchmarks.rows import Row
from rewardlab.errors import BadData, UserError

T = TypeVar("T")

log = logging.getLogger(__name__)

_NAMED = 5  # places that are named


class Intake:
    """Counts of rows kept, dropped and cut.

    Attributes:
        kept: Examples that training uses.
        dropped: Reason to number of rows.
        truncated: Examples whose beginning was cut.
        unused: Examples that a limit left out; they are no fault of the data.
        undecided: Comparisons whose annotator preferred neither side; they are no fault of the data.
    """

    def __init__(self) -> None:
        self.kept = 0
        self.unused = 0
        self.undecided = 0
        self.dropped: Counter[str] = Counter()
        self.truncated = 0
        self._places: list[str] = []

    def parse(self, rows: Iterable[Row], parse: Callable[[Row], T]) -> list[T]:
        """Parse rows; one that breaks its schema is dropped under the reason "bad row".

        Args:
            rows: Of a file or the hub.
            parse: From a row to an example; raises `BadData`, most easily through the row's own methods.
        """
        found = []
        for row in rows:
            try:
                found.append(parse(row))
            except BadData as problem:
                self.drop("bad row", str(problem))
        return found

    def drop(self, reason: str, place: str) -> None:
        """Count an example that is left out.

        Args:
            reason: In two or three words, for the table of counts.
            place: File, row and what is wrong there.
        """
        self.dropped[reason] += 1
        self._places.append(place)

    def check(self, what: str, max_dropped: float, max_truncated: float) -> None:
        """Refuse data of which too large a share was dropped or cut, and name the first places of what was dropped.

        Args:
            what: What the examples are called ("preference pairs").
            max_dropped: Largest share of all examples that may be dropped.
            max_truncated: Largest share of the kept ones that may be cut.

        Raises:
            UserError: Above a limit, or when nothing is left.
        """
        places = "".join(f"\n  {place}" for place in self._places[:_NAMED])
        total = self.kept + self.unused + self.dropped.total()
        if not self.kept or self.dropped.total() > max_dropped * total:
            reasons = ", ".join(f"{n} {reason}" for reason, n in self.dropped.most_common()) or "there are none"
            raise UserError(
                f"{self.dropped.total()} of {total} {what} cannot be used ({reasons}), and max_dropped allows a share "
                f"of {max_dropped:g}.{places}\n  to mend it: correct the data, or raise method.max_dropped"
            )
        if self._places:
            log.warning("%d of %d %s are left out:%s", self.dropped.total(), total, what, places)
        if self.truncated > max_truncated * self.kept:
            raise UserError(
                f"{self.truncated} of {self.kept} {what} are longer than max_length and would be cut; max_truncated "
                f"allows a share of {max_truncated:g}\n  to mend it: raise method.max_length or method.max_truncated"
            )

    def counts(self) -> dict[str, Any]:
        """For metrics.json and for the screen."""
        return {
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
            "truncated": self.truncated,
            "unused": self.unused,
            "undecided": self.undecided,
        }
