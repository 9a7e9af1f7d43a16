"""Intervals for a mean or a rate: call `share_interval` for what earns 0 to 1, `mean_interval` for anything else.

The method is chosen, and named in the interval. One binary verdict per cluster gets Wilson, because the normal interval
is too narrow below a few hundred items (Bowyer et al. 2025, arXiv 2503.01747). Other plain means get Student's t on
clusters (Miller 2024, arXiv 2411.00640, appendix A). Composites, which have weights or strata, get the BCa bootstrap of
clusters. What to do with missing verdicts is for the caller to say: a missing value makes the interval undefined.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtri, stdtrit

from rewardlab.stats.bootstrap import DRAWS, totals_bootstrap
from rewardlab.stats.clusters import WeightedSums, equal, weighted_sums
from rewardlab.stats.estimates import FloatArray, Interval


def wilson(hits: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a rate (Wilson 1927; Brown, Cai and DasGupta 2001, equation 4).

    Args:
        hits: Successes, 0 to n.
        n: Independent trials.
        level: Confidence level.

    Returns:
        The interval; undefined for n = 0.

    >>> [round(x, 4) for x in wilson(46, 51)[:3]]
    [0.902, 0.7902, 0.9574]
    """
    if reason := _no_trials(hits, n):
        return Interval(None, None, None, n, n, reason)
    z, p = float(ndtri((1 + level) / 2)), hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # The score interval of 0 (or n) hits ends exactly at 0 (or 1); subtraction alone leaves rounding noise there.
    low, high = 0.0 if hits == 0 else centre - half, 1.0 if hits == n else centre + half
    return Interval(p, float(low), float(high), n, n, method="Wilson")


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval for a rate (Clopper and Pearson 1934): covers at least `level`, mostly more.

    Args:
        hits: Successes, 0 to n.
        n: Independent trials.
        level: Confidence level.

    Returns:
        The interval; undefined for n = 0.
    """
    if reason := _no_trials(hits, n):
        return Interval(None, None, None, n, n, reason)
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - tail))
    return Interval(hits / n, low, high, n, n, method="Clopper-Pearson")


def _no_trials(hits: int, n: int) -> str:
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n}")
    return "" if n else "no values"


def clustered_mean(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> Interval:
    """Student's t interval for a weighted mean of clustered values, with the correction C/(C-1).

    The variance is the sum over clusters of their squared contributions to the error of the mean (Miller 2024, arXiv
    2411.00640, appendix A, generalised to weights by linearising the ratio). Degrees of freedom are C-1; over several
    strata they are Satterthwaite's.

    Args:
        values: Shape (n,); None or NaN marks a missing value.
        weights: Shape (n,), >= 0; None for equal ones.
        clusters: Label of each row's cluster, shape (n,); None when every row is its own.
        strata: Label of each row's stratum, shape (n,); None for a single one.
        level: Confidence level.

    Returns:
        The interval. Undefined with missing values; without ends when a stratum has one cluster or all clusters of
        every stratum agree.

    >>> [round(x, 4) for x in clustered_mean([0, 1, 1, 1], clusters=["a", "a", "b", "b"])[:3]]
    [0.75, -2.4266, 3.9266]
    """
    table, units, reason = weighted_sums(values, weights, clusters, strata)
    n = int(np.size(np.asarray(values)))
    if table is None:
        return Interval(None, None, None, n, units, reason)
    variance, df, reason = _variance(table)
    if reason:
        return Interval(table.mean, None, None, n, units, reason)
    half = float(stdtrit(df, (1 + level) / 2)) * variance**0.5
    return Interval(table.mean, table.mean - half, table.mean + half, n, units, method="clustered t")


def _variance(table: WeightedSums) -> tuple[float, float, str]:
    """Variance of the weighted mean, its degrees of freedom, and why there is none or ""."""
    strata = len(table.shares)
    size = np.bincount(table.stratum, minlength=strata)
    if size.min() < 2:
        return np.nan, np.nan, "one cluster" if strata == 1 else "a stratum has one cluster"
    totals = table.totals
    squares = table.parts(about=totals[:, 0] / totals[:, 1]) ** 2
    of_stratum: FloatArray = np.bincount(table.stratum, squares, strata) * size / (size - 1)
    variance = float(of_stratum.sum())
    # Equal values leave rounding noise, not 0, in their deviations from the mean.
    if variance <= 1e-24 * np.abs(table.parts(about=0.0)).sum() ** 2 / size.sum():
        return np.nan, np.nan, "no variation between clusters"
    return variance, float(variance**2 / (of_stratum**2 / (size - 1)).sum()), ""


def mean_interval(
    values: ArrayLike,
    rng: np.random.Generator,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """The interval for a mean, a rate or a weighted composite, by the method that suits it.

    Args:
        values: Shape (n,); None or NaN marks a missing value.
        rng: Source of the bootstrap draws.
        weights: Shape (n,), >= 0; None for equal ones. 1/(rows in the stratum) gives the plain average over strata.
        clusters: Label of each row's cluster, shape (n,); None when every row is its own.
        strata: Label of each row's stratum, shape (n,); None for a single one.
        draws: Number of bootstrap samples.
        level: Confidence level.

    Returns:
        Wilson for one unweighted binary value per cluster, the BCa bootstrap with weights or strata, clustered t
        otherwise. Undefined values are None with a reason.

    >>> mean_interval([1, 1, 0, 1], np.random.default_rng(0)).method
    'Wilson'
    """
    table, units, reason = weighted_sums(values, weights, clusters, strata)
    value = np.asarray(values, dtype=float)
    if table is None:
        return Interval(None, None, None, len(value), units, reason)
    if len(table.shares) > 1 or not equal(weights):
        return totals_bootstrap(
            table.sums, table.stratum, table.mean_of_totals, rng, n=len(value), draws=draws, level=level
        )
    if units == len(value) and np.all((value == 0) | (value == 1)):
        return wilson(int(value.sum()), len(value), level)
    return clustered_mean(value, None, clusters, level=level)


def share_interval(
    values: ArrayLike,
    rng: np.random.Generator,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> Interval:
    """`mean_interval` of what earns between nothing and all of a point, `within_shares`.

    >>> share_interval([1, 1, 1, 1, 1, 0], np.random.default_rng(0), clusters=[0, 0, 1, 1, 2, 2]).high
    1.0
    """
    return within_shares(mean_interval(values, rng, weights, clusters))


def within_shares(interval: Interval) -> Interval:
    """The part of an interval from 0 to 1.

    With few units Student's interval, or a widened one, reaches below 0 or above 1, where no true share can lie.
    Cutting that off leaves the coverage as it was.
    """
    if interval.low is None or interval.high is None:
        return interval
    return interval._replace(low=max(0.0, interval.low), high=min(1.0, interval.high))
