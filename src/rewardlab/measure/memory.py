"""What a run's peak memory owes to the number of its rows.

The same examples are judged ten times as often, so that data, plan of an example and libraries are the same and only
rows are more: two runs of experiments/evaluate.py against the mock server, prompts and replies in their traces.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rewardlab.measure.command import evaluate
from rewardlab.measure.mock_server import MockServer
from rewardlab.measure.ratio import Ratio

TIMES = 10


class PeakMemory:
    """Peak resident memory of a run against that of a run with a tenth of its rows.

    Args:
        judgments: Of the smaller run; a multiple of `2 * examples`.
        examples: Pairs that both judge.
        concurrency: Judgments in flight.
        at_most: The ratio that counts as no growth.
    """

    def __init__(self, judgments: int, examples: int, concurrency: int, at_most: float) -> None:
        self._judgments = judgments
        self._examples = examples
        self._concurrency = concurrency
        self._at_most = at_most

    def measure(self) -> Sequence[Ratio]:
        """One ratio. Raises UserError when a run fails."""
        small, large = (self._peak(times * self._judgments) for times in (1, TIMES))
        bytes_a_row = (large - small) / ((TIMES - 1) * self._judgments)
        raw = {"peak_bytes": [small, large], "bytes_a_row": round(bytes_a_row, 1)}
        return [
            Ratio(
                f"peak memory, {TIMES * self._judgments:,} judgments",
                large / 1e6,
                f"{self._judgments:,} judgments",
                small / 1e6,
                "MB",
                at_most=self._at_most,
                raw=raw,
            )
        ]

    def _peak(self, judgments: int) -> int:
        repeats = judgments // (2 * self._examples)
        settings = (f"model.concurrency={self._concurrency}", f"limit={self._examples}", f"repeats={repeats}")
        with tempfile.TemporaryDirectory() as folder, MockServer(0.0) as server:
            return evaluate(server.url, Path(folder), *settings, "tracking=none").peak
