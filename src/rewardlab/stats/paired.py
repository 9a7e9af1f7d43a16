"""Two arms judged on the same items: the difference, its interval, and a p-value.

`paired_test` and `paired_difference` are the ones to call. The test is McNemar's exact one when every cluster is one
item with two binary verdicts and nothing is weighted, and a sign flip per cluster for everything else (benchmark
averages, both-order scores, graded values), as Dror et al. 2018 (ACL P18-1128) advise. The intervals part in the same
way: a bootstrap of a few discordant pairs is too narrow. The two arms must be aligned: row i of both is the same
presentation of the same item.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, ndtri

from rewardlab.stats.bootstrap import DRAWS, in_blocks, totals_bootstrap
from rewardlab.stats.clusters import WeightedSums, equal, weighted_sums
from rewardlab.stats.estimates import FloatArray, Interval, PairedTest


def mcnemar(b: int, c: int, *, mid_p: bool = False) -> float:
    """McNemar's two-sided test on discordant pairs.

    Given b + c, each discordant pair favours either arm with probability one half under the null. The exact p-value is
    conservative; the mid-p value counts the observed outcome half (Fagerland, Lydersen and Laake 2013, BMC Medical
    Research Methodology 13:91).

    Args:
        b: Pairs that only the first arm got right.
        c: Pairs that only the second arm got right.
        mid_p: The mid-p value instead of the exact one.

    Returns:
        The p-value; 1 when no pair is discordant.

    >>> round(mcnemar(2, 8), 6), round(mcnemar(2, 8, mid_p=True), 6)
    (0.109375, 0.06543)
    """
    if not b + c:
        return 1.0
    at_most = float(bdtr(min(b, c), b + c, 0.5))
    below = float(bdtr(min(b, c) - 1, b + c, 0.5)) if min(b, c) else 0.0
    if b == c:
        return 1.0 - (at_most - below) / 2 if mid_p else 1.0
    return at_most + below if mid_p else min(1.0, 2 * at_most)  # the sum may exceed 1 in its last digits


def bonett_price(b: int, c: int, n: int, level: float = 0.95) -> Interval:
    """The adjusted Wald interval for the difference of two rates on the same items (Bonett and Price 2012).

    Recommended for paired binary data by Fagerland, Lydersen and Laake 2014 (Statistics in Medicine 33:2850).

    Args:
        b: Items that only the first arm got right.
        c: Items that only the second arm got right.
        n: All items.
        level: Confidence level.

    Returns:
        The interval for (b - c)/n, also when no item is discordant; undefined for n = 0.

    >>> [round(x, 4) for x in bonett_price(20, 12, 160)[:3]]
    [0.05, -0.0208, 0.1195]
    """
    if not n:
        return Interval(None, None, None, 0, 0, "no values")
    first, second = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = float(ndtri((1 + level) / 2)) * ((first + second - (first - second) ** 2) / (n + 2)) ** 0.5
    low, high = max(-1.0, first - second - half), min(1.0, first - second + half)
    return Interval((b - c) / n, low, high, n, n, method="Bonett-Price")


def sign_flip(parts: FloatArray, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """Two-sided permutation test: under the null every cluster's difference is as likely with the other sign.

    All 2^C sign patterns are tried where that takes no more than `draws`; otherwise the p-value is (1 + hits) /
    (1 + draws), never 0 (Phipson and Smyth 2010).

    Args:
        parts: What each cluster adds to the observed difference, shape (C,).
        rng: Source of the signs.
        draws: Number of sign patterns.

    Returns:
        The p-value; 1 when no cluster differs.

    >>> sign_flip(np.array([1.0, 2.0, 3.0]), np.random.default_rng(0))
    0.25
    """
    moving = np.sort(parts[parts != 0])
    if not moving.size:
        return 1.0
    # Equal sums reached in another order of addition differ by rounding and count as equal.
    bar = abs(float(moving.sum())) - 1e-12 * float(np.abs(moving).sum())
    if moving.size < draws.bit_length():  # 2^C <= draws, without a power that overflows
        patterns = (np.arange(2**moving.size)[:, None] >> np.arange(moving.size)) & 1
        return float(np.mean(np.abs((2 * patterns - 1) @ moving) >= bar))

    def draw(size: int) -> FloatArray:
        bits = np.frombuffer(rng.bytes(-(-size * moving.size // 8)), dtype=np.uint8)
        kept = np.unpackbits(bits, count=size * moving.size).reshape(size, -1).astype(float)
        flipped: FloatArray = 2 * np.vecdot(kept, moving) - moving.sum()
        return flipped

    hits = np.count_nonzero(np.abs(in_blocks(draw, draws, moving.size)) >= bar)
    return (1 + int(hits)) / (1 + draws)


def paired_test(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    *,
    draws: int = DRAWS,
) -> PairedTest:
    """Tests that two arms have the same (weighted) mean, by the method that suits the data.

    Args:
        first: Values of one arm, shape (n,); None or NaN marks a missing value.
        second: Values of the other arm on the same rows, shape (n,).
        rng: Source of the sign flips.
        weights: Shape (n,), >= 0; None for equal ones.
        clusters: Label of each row's cluster, shape (n,); None when every row is its own.
        strata: Label of each row's stratum, shape (n,); None for a single one.
        draws: Number of sign patterns.

    Returns:
        "exact McNemar" for one pair of binary values per cluster without weights, "sign-flip permutation" otherwise.
        b and c count the clusters that favour the first and the second arm. p is None with missing values.

    >>> paired_test([1, 1, 1, 0], [0, 0, 0, 0], np.random.default_rng(0))[:2]
    (0.25, 'exact McNemar')
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    table, units, reason = _difference(a, b, weights, clusters, strata)
    method = "exact McNemar" if _verdicts(a, b, units) and equal(weights) else "sign-flip permutation"
    if table is None:
        return PairedTest(None, method, len(a), units, 0, 0, reason)
    parts = _flips(table)
    better, worse = int(np.count_nonzero(parts > 0)), int(np.count_nonzero(parts < 0))
    p = mcnemar(better, worse) if method == "exact McNemar" else sign_flip(parts, rng, draws)
    return PairedTest(p, method, len(a), units, better, worse)


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """The interval for the difference of two arms, first minus second, by the method that suits the data.

    Args:
        first: Values of one arm, shape (n,); None or NaN marks a missing value.
        second: Values of the other arm on the same rows, shape (n,).
        rng: Source of the draws.
        weights: Shape (n,), >= 0; None for equal ones.
        clusters: Label of each row's cluster, shape (n,); None when every row is its own.
        strata: Label of each row's stratum, shape (n,); None for a single one.
        draws: Number of bootstrap samples.
        level: Confidence level.

    Returns:
        Bonett-Price where `paired_test` takes McNemar's test, otherwise the BCa bootstrap of clusters. Undefined with
        missing values; the bootstrap gives no ends when the arms differ by the same amount everywhere.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    table, units, reason = _difference(a, b, weights, clusters, strata)
    if table is None:
        return Interval(None, None, None, len(a), units, reason)
    if _verdicts(a, b, units) and equal(weights):
        return bonett_price(int((a > b).sum()), int((a < b).sum()), len(a), level)
    return totals_bootstrap(table.sums, table.stratum, table.mean_of_totals, rng, n=len(a), draws=draws, level=level)


def _verdicts(first: FloatArray, second: FloatArray, units: int) -> bool:
    """Whether every cluster is one pair of binary verdicts."""
    return units == len(first) and bool(np.all(np.isin(first, (0, 1)) & np.isin(second, (0, 1))))


def _flips(table: WeightedSums) -> FloatArray:
    """What each cluster adds to a mean difference, rounding noise set to 0: the units whose signs are flipped."""
    parts = table.parts(about=0.0)
    parts[np.abs(parts) <= 1e-12 * np.abs(parts).max(initial=0.0)] = 0.0
    return parts


def _difference(
    first: FloatArray,
    second: FloatArray,
    weights: ArrayLike | None,
    clusters: ArrayLike | None,
    strata: ArrayLike | None,
) -> tuple[WeightedSums | None, int, str]:
    if first.shape != second.shape:
        raise ValueError(f"the arms are not aligned: {first.shape} and {second.shape}")
    with np.errstate(invalid="ignore"):  # infinity minus infinity is missing too
        return weighted_sums(first - second, weights, clusters, strata)
