"""How long a command takes before it works: `--help`, and a run of ten judgments at a server that answers at once.

Both are held against a bare import of a library that such a command may need, which nothing here can make faster.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rewardlab.measure.command import Ended, evaluate, python
from rewardlab.measure.mock_server import MockServer
from rewardlab.measure.ratio import Ratio

TORCH, LIGHTNING = "import torch", "import lightning"
AGAINST = {
    "evaluate.py --help": TORCH,
    "10 judgments, tracking=none": LIGHTNING,
    "10 judgments, tracking=mlflow": LIGHTNING,
}


class StartUp:
    """Seconds of whole processes, medians.

    Args:
        rounds: How often each command is run, in turn with the others, so that a busier machine slows all of them.
    """

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def measure(self) -> Sequence[Ratio]:
        """A ratio for each command. Raises UserError when one fails."""
        with MockServer(0.0) as server:
            rounds = [_round(server.url) for _ in range(self._rounds)]
        seconds = {name: [r[name] for r in rounds] for name in rounds[0]}
        middle = {name: statistics.median(found) for name, found in seconds.items()}
        return [
            Ratio(name, middle[name], bare, middle[bare], "s", raw={n: seconds[n] for n in (name, bare)})
            for name, bare in AGAINST.items()
        ]


def _round(server: str) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory() as folder:

        def run(tracking: str) -> Ended:
            # A folder for each: a run that is there already would not be judged again. Few examples are made, too.
            few = ("limit=5", "benchmark.per_family=1")
            return evaluate(server, Path(folder) / tracking, *few, f"tracking={tracking}")

        commands: dict[str, Callable[[], Ended]] = {
            TORCH: lambda: python("-c", TORCH),
            LIGHTNING: lambda: python("-c", LIGHTNING),
            "evaluate.py --help": lambda: python("experiments/evaluate.py", "--help"),
            "10 judgments, tracking=none": lambda: run("none"),
            "10 judgments, tracking=mlflow": lambda: run("mlflow"),
        }
        return {name: round(command().seconds, 3) for name, command in commands.items()}
