"""What a part that was not measured adds up to, from a sample of the whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from rewardlab.stats.estimates import Interval


def remaining_total(sample: ArrayLike, remaining: int, level: float = 0.95) -> Interval:
    """The sum over the members of a finite population that are not in a simple random sample of it.

    The error of `remaining * mean` is that of the population's total estimated from the sample, whose variance is
    N² (1 - n/N) S² / n (Cochran, Sampling Techniques, 3rd ed., theorem 2.2), N being n + remaining. The interval is
    Student's t with n - 1 degrees of freedom, and ends at 0 where the values cannot be negative.

    Args:
        sample: The values of the sample.
        remaining: Members that are not in it.
        level: Confidence level.

    Returns:
        The interval; without ends for a sample of one, undefined for an empty one.

    >>> [round(x, 1) for x in remaining_total([1.0, 2.0, 3.0, 2.0], 12)[:3]]
    [24.0, 6.0, 42.0]
    """
    values = np.asarray(sample, dtype=np.float64)
    n = len(values)
    if n == 0:
        return Interval(None, None, None, 0, 0, "no values")
    point = float(remaining * values.mean())
    if remaining == 0:
        return Interval(point, point, point, n, n, method="nothing remains")
    if n == 1:
        return Interval(point, None, None, 1, 1, "one value")
    spread = float(values.std(ddof=1)) * np.sqrt(remaining * (n + remaining) / n)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * spread
    floor = 0.0 if (values >= 0).all() else -np.inf
    return Interval(point, float(max(floor, point - half)), float(point + half), n, n, method="t, finite population")
