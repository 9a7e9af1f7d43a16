"""How much of a server's capacity a run keeps busy.

With n judgments in flight at a server that answers after a fixed time, n/time judgments a second are the most there can
be. A run of experiments/evaluate.py is held against that, from its first call to its last: parsing, storing rows and
everything else that a run does is in it. The server shares the machine.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rewardlab.measure.command import evaluate
from rewardlab.measure.mock_server import MockServer
from rewardlab.measure.ratio import Ratio


class Saturation:
    """Judgments a second as a share of the ideal.

    Args:
        latency: Seconds that the server takes.
        at_least: Judgments in flight to the share that is asked for.
        judgments: Of each run; a multiple of `2 * repeats`.
        repeats: Judgments of each presentation.
        rounds: Runs at each number in flight; the best one counts, because other work on the machine only slows.
    """

    def __init__(
        self, latency: float, at_least: dict[int, float], judgments: int, repeats: int = 10, rounds: int = 1
    ) -> None:
        self._latency = latency
        self._at_least = at_least
        self._judgments = judgments
        self._repeats = repeats
        self._rounds = rounds

    def measure(self) -> Sequence[Ratio]:
        """One ratio for each number in flight. Raises UserError when a run fails."""
        return [self._share(in_flight, asked) for in_flight, asked in self._at_least.items()]

    def _share(self, in_flight: int, asked: float) -> Ratio:
        raw = [self._run(in_flight) for _ in range(self._rounds)]
        best = max(run["judgments"] / run["seconds"] for run in raw)
        ideal = in_flight / self._latency
        what = f"judgments/s, {in_flight} in flight, {1000 * self._latency:g} ms server"
        return Ratio(what, best, "in flight / latency", ideal, "1/s", at_least=asked, raw={"runs": raw})

    def _run(self, in_flight: int) -> dict[str, float]:
        examples = self._judgments // (2 * self._repeats)
        settings = (f"model.concurrency={in_flight}", f"limit={examples}", f"repeats={self._repeats}")
        with tempfile.TemporaryDirectory() as folder, MockServer(self._latency) as server:
            whole = evaluate(server.url, Path(folder), *settings, "tracking=none").seconds
            (manifest,) = Path(folder).rglob("manifest.json")
            found = json.loads(manifest.read_text(encoding="utf-8"))
            peak = server.stats()["peak"]
        return {
            "judgments": found["judgments"],
            "ok": found["status"].get("ok", 0),
            "seconds": found["seconds_first_to_last_call"],
            "seconds_whole_process": round(whole, 3),
            "peak_in_flight": peak,
        }
