"""How the probabilities of a solution's steps become one number for the solution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

READOUTS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "product": math.prod,
    "min": min,
    "last": lambda steps: steps[-1],
    "mean": lambda steps: math.fsum(steps) / len(steps),
}
