"""How many calls to have in flight at one server: additive increase, multiplicative decrease (AIMD).

The limit is revised once per round, a round being about as many answers as the limit allows in flight. A round with
refused calls (429 and the like) takes off in proportion to their share, as DCTCP does for marked packets (Alizadeh et
al., SIGCOMM 2010, section 3): a few refusals cost a little, a server that refuses everything is asked ever less. What
is cut is the number of calls that were really in flight, for a limit that is not reached binds nobody.

Not every refusal is a matter of load: a quota shared with others refuses the same share whatever we do. So a cut is an
experiment. If load is the cause, the server takes as many calls as before and refuses only the rest; if the next round
shows that it refuses as great a share as before, the cut is taken back and that share is borne for a while
(`BORNE_ROUNDS`), after which it is put to the test again.

Growth goes half the way to the limit that was last found too high, and beyond it in steps that double, so that a server
that is well again is soon used to the full. A round whose mean latency is more than `SLOWDOWN` times the best round so
far counts as refused wholly: the server queues instead of refusing. The best round is forgotten slowly, because later
judgments may simply be longer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

SLOWDOWN = 4.0
FORGETTING = 1.1  # growth per round of the latency held to be the best
SMALLEST_ROUND = 8  # answers; a mean of fewer says nothing
BORNE_ROUNDS = 32
MOST_BORNE = 0.35  # a greater share of wasted requests is never borne
FASTEST_GROWTH = 1 / 8  # of the ceiling, in one round


class _Cut(NamedTuple):
    """A cut whose effect is not known yet: the limit before it, the calls in flight then, the share refused."""

    limit: float
    in_flight: float
    share: float


class Limiter:
    """The limit of one server. Pure arithmetic: it neither waits nor reads a clock.

    Args:
        start: Calls in flight to begin with.
        ceiling: The most there may ever be.
    """

    def __init__(self, start: int, ceiling: int) -> None:
        self._ceiling = ceiling
        self._limit = float(min(start, ceiling))
        self._best = math.inf
        self._step, self._too_high = 1.0, 0.0
        self._cut: _Cut | None = None
        self._borne, self._borne_rounds = 0.0, 0
        self._answers, self._refusals, self._peak, self._seconds = 0, 0, 0, 0.0

    @property
    def limit(self) -> int:
        """Calls that may be in flight now, at least 1."""
        return int(self._limit)

    def answered(self, seconds: float, in_flight: int) -> None:
        """Notes an answer.

        Args:
            seconds: Its latency.
            in_flight: Calls in flight when it came, itself included.
        """
        self._answers += 1
        self._seconds += seconds
        self._peak = max(self._peak, in_flight)
        self._revise()

    def refused(self) -> None:
        """Notes a call that the server had no capacity for."""
        self._refusals += 1
        self._revise()

    def _revise(self) -> None:
        total = self._answers + self._refusals
        if total < max(SMALLEST_ROUND, self.limit):
            return
        share = self._refusals / total
        self._judge_cut(share)
        if self._is_slow():
            self._cut_by(1.0, self._limit)
        elif share > self._borne:
            in_flight = min(self._limit, float(self._peak)) if self._answers else self._limit
            self._cut = _Cut(self._limit, in_flight, share)
            self._cut_by(share - self._borne, in_flight)
        else:
            self._grow()
        self._answers, self._refusals, self._peak, self._seconds = 0, 0, 0, 0.0

    def _judge_cut(self, share: float) -> None:
        """Take back the last cut if it was of no use, and forget what has been borne for long."""
        self._borne_rounds -= 1
        if self._borne_rounds <= 0:
            self._borne = 0.0
        if self._cut is None:
            return
        limit, in_flight, before = self._cut
        self._cut = None
        if_load = max(0.0, 1 - in_flight * (1 - before) / self._limit)
        if share > (before + if_load) / 2:
            self._limit = max(self._limit, limit)
            self._borne, self._borne_rounds = min(max(share, before), MOST_BORNE), BORNE_ROUNDS

    def _is_slow(self) -> bool:
        if not self._answers:
            return False
        mean = self._seconds / self._answers
        slow = mean > SLOWDOWN * self._best
        self._best = min(mean, self._best * FORGETTING)
        return slow

    def _cut_by(self, share: float, in_flight: float) -> None:
        self._too_high = self._limit
        self._limit = max(1.0, in_flight * (1 - share / 2))
        self._step = 1.0

    def _grow(self) -> None:
        if self._peak < self.limit and not self._refusals:
            return  # a limit that was not reached says nothing about whether a higher one would do
        if self._limit + 1 < self._too_high:
            self._limit += max(1.0, (self._too_high - self._limit) / 2)
        else:
            self._limit = min(self._ceiling, self._limit + self._step)
            self._step = min(2 * self._step, max(1.0, self._ceiling * FASTEST_GROWTH))
