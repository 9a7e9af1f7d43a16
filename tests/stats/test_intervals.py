from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom, t
from statsmodels.stats.proportion import proportion_confint

from rewardlab.randomness import stream
from rewardlab.stats import Interval, mean_interval, share_interval
from rewardlab.stats.intervals import clopper_pearson, clustered_mean, wilson, within_shares
from tests.stats.simulation import LEAST, MOST, coverage


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (3, 7), (46, 51), (1, 1), (999, 1763)])
@pytest.mark.parametrize(("ours", "theirs"), [(wilson, "wilson"), (clopper_pearson, "beta")], ids=["wilson", "exact"])
def test_rates_equal_statsmodels(ours: object, theirs: str, hits: int, n: int) -> None:
    interval = ours(hits, n)  # type: ignore[operator]
    assert interval.point == hits / n
    assert (interval.low, interval.high) == pytest.approx(proportion_confint(hits, n, method=theirs), abs=1e-12)


def _rate_coverage(method: object, n: int, p: float) -> float:
    """Exact coverage: the probability of all outcomes whose interval holds p."""
    intervals = [method(k, n) for k in range(n + 1)]  # type: ignore[operator]
    inside = np.array([i.low <= p <= i.high for i in intervals])
    return float(binom.pmf(np.arange(n + 1), n, p) @ inside)


def _wald(hits: int, n: int) -> object:
    p = hits / n
    half = 1.959964 * np.sqrt(p * (1 - p) / n)
    return wilson(hits, n)._replace(low=p - half, high=p + half)


@pytest.mark.parametrize(("method", "expected"), [(_wald, 0.88), (wilson, 0.966), (clopper_pearson, 0.984)])
def test_coverage_of_51_items_at_090(method: object, expected: float) -> None:
    assert _rate_coverage(method, 51, 0.9) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("n", [51, 160, 350])
def test_wilson_covers_on_average_over_rates_and_clopper_pearson_always(n: int) -> None:
    # The coverage of a discrete rate jumps with p, so Wilson is held to its average; the exact one is conservative.
    rates = np.linspace(0.05, 0.95, 181)
    assert LEAST <= np.mean([_rate_coverage(wilson, n, p) for p in rates]) <= MOST
    exact = [_rate_coverage(clopper_pearson, n, p) for p in rates[::6]]
    assert min(exact) >= 0.95
    assert np.mean(exact) > 0.955


@pytest.mark.parametrize("method", [wilson, clopper_pearson])
def test_impossible_counts_are_refused(method: object) -> None:
    with pytest.raises(ValueError, match="hits of"):
        method(3, 2)  # type: ignore[operator]


def test_clustered_mean_by_hand_on_a_lopsided_split() -> None:
    # Clusters of 4 and 1 rows: mean 0.4, deviations 4 * (0.25 - 0.4) = -0.6 and 1 - 0.4 = 0.6, so
    # SE^2 = C/(C-1) * (0.36 + 0.36)/5^2 = 2 * 0.0288 with one degree of freedom.
    interval = clustered_mean([1, 0, 0, 0, 1], clusters=list("aaaab"))
    half = t.ppf(0.975, 1) * np.sqrt(2 * 0.0288)
    assert interval[:3] == pytest.approx((0.4, 0.4 - half, 0.4 + half), abs=1e-12)
    assert (interval.n, interval.clusters, interval.method) == (5, 2, "clustered t")


def test_clustered_mean_equals_cluster_robust_regression_on_a_constant() -> None:
    rng = stream(0, "regression")
    clusters = rng.integers(0, 30, 200)
    values = rng.normal(size=30)[clusters] + rng.normal(size=200)
    interval = clustered_mean(values, clusters=clusters)
    fit = sm.OLS(values, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    assert (interval.low, interval.high) == pytest.approx(tuple(fit.conf_int()[0]), abs=1e-12)


def test_unclustered_mean_is_the_ordinary_t_interval() -> None:
    values = stream(0, "t").normal(size=25)
    half = t.ppf(0.975, 24) * values.std(ddof=1) / 5
    assert clustered_mean(values)[1:3] == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-12)


def test_strata_by_hand() -> None:
    # Two strata of equal share: variance 1/4 (var_1/n_1 + var_2/n_2).
    first, second = [0.0, 1.0, 2.0], [10.0, 14.0]
    interval = clustered_mean([*first, *second], [1 / 3] * 3 + [1 / 2] * 2, strata=[1, 1, 1, 2, 2])
    v1, v2 = np.var(first, ddof=1) / 3 / 4, np.var(second, ddof=1) / 2 / 4
    df = (v1 + v2) ** 2 / (v1**2 / 2 + v2**2 / 1)
    assert interval.point == pytest.approx(6.5)
    assert interval.high - interval.point == pytest.approx(t.ppf(0.975, df) * np.sqrt(v1 + v2), abs=1e-12)


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 6)), min_size=4, max_size=40),
    st.floats(0.1, 10),
    st.floats(-10, 10),
)
def test_the_interval_moves_and_scales_with_the_values(
    rows: list[tuple[float, int]], scale: float, shift: float
) -> None:
    values, clusters = (np.array(column) for column in zip(*rows, strict=True))
    assume(np.ptp(values) > 1e-3)
    one, other = clustered_mean(values, clusters=clusters), clustered_mean(scale * values + shift, clusters=clusters)
    assume(one.low is not None and one.high - one.low > 1e-6)
    assert other[:3] == pytest.approx([scale * end + shift for end in one[:3]], rel=1e-6, abs=1e-6)


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_holds_its_point_and_mirrors(hits: int, n: int) -> None:
    assume(hits <= n)
    one, mirrored = wilson(hits, n), wilson(n - hits, n)
    assert 0 <= one.low <= one.point <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        pytest.param({"values": [1, 0, 1, 1]}, "Wilson", id="verdicts"),
        pytest.param({"values": [1, 0, 1, 1], "weights": [2, 2, 2, 2]}, "Wilson", id="equal weights"),
        pytest.param({"values": [1, 0, 1, 1], "clusters": list("abcd")}, "Wilson", id="clusters of one"),
        pytest.param({"values": [1, 0, 1, 1], "clusters": list("aabb")}, "clustered t", id="clusters"),
        pytest.param({"values": [1, 0, 0.5, 1]}, "clustered t", id="graded"),
        pytest.param({"values": [1, 0, 1, 1], "weights": [1, 2, 1, 1]}, "BCa bootstrap", id="weights"),
        pytest.param({"values": [1, 0, 0, 1], "strata": list("aabb")}, "BCa bootstrap", id="strata"),
    ],
)
def test_the_method_suits_the_data(arguments: dict[str, object], method: str) -> None:
    interval = mean_interval(rng=np.random.default_rng(0), draws=500, **arguments)  # type: ignore[arg-type]
    assert interval.method == method
    assert interval.low is not None and interval.low <= interval.point <= interval.high


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=12))
def test_an_interval_of_shares_ends_where_shares_end(values: list[float]) -> None:
    free, cut = (
        make(values, np.random.default_rng(0), clusters=range(len(values))) for make in (mean_interval, share_interval)
    )
    if free.low is None:
        assert cut == free
    else:
        assert 0 <= cut.low <= cut.point <= cut.high <= 1
        assert (cut.low, cut.high) == (max(free.low, 0), min(free.high, 1))


def test_what_no_share_can_be_is_cut_off_and_nothing_else() -> None:
    wide, none = Interval(0.5, -0.1, 1.2, 4, 4, method="any"), Interval(0.5, None, None, 4, 4, "why")
    assert within_shares(wide) == wide._replace(low=0.0, high=1.0)
    assert within_shares(none) == none


def test_clustered_t_covers() -> None:
    sizes = np.array([1, 1, 2, 3, 3, 4, 5, 9] * 4)
    clusters = np.repeat(np.arange(len(sizes)), sizes)

    def draw(rng: np.random.Generator) -> object:
        return clustered_mean(rng.normal(size=len(sizes))[clusters] + rng.normal(size=len(clusters)), clusters=clusters)

    assert LEAST <= coverage("clustered t", 0.0, draw, 4000) <= MOST  # type: ignore[arg-type]


def test_clustered_t_covers_over_strata() -> None:
    stratum = np.repeat([0, 1, 2], [20, 40, 15])
    clusters = np.repeat(np.arange(75), 3)
    strata = stratum[clusters]
    weights = 1 / np.bincount(strata)[strata]

    def draw(rng: np.random.Generator) -> object:
        values = stratum[clusters] + (rng.normal(size=75) * (1 + stratum))[clusters] + rng.normal(size=225)
        return clustered_mean(values, weights, clusters, strata)

    assert LEAST <= coverage("strata", 1.0, draw, 3000) <= MOST  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(("correlation", "naive"), [(0.1, 0.85), (0.3, 0.71), (0.5, 0.64)])
def test_clustering_restores_the_coverage_of_rm_bench(correlation: float, naive: float) -> None:
    """1,327 prompts with nine correlated comparisons each: taking them as independent loses the coverage."""
    prompts, cells, truth, repeats = 1327, 9, 0.7, 1500
    rng = stream(0, "rm-bench", str(correlation))
    concentration = 1 / correlation - 1
    covered, covered_naively = [], []
    for _ in range(repeats):
        rate = rng.beta(truth * concentration, (1 - truth) * concentration, prompts)
        share = rng.binomial(cells, rate) / cells
        interval = clustered_mean(share)
        covered.append(interval.low <= truth <= interval.high)  # type: ignore[operator]
        as_rows = wilson(round(share.sum() * cells), prompts * cells)
        covered_naively.append(as_rows.low <= truth <= as_rows.high)  # type: ignore[operator]
    assert np.mean(covered_naively) == pytest.approx(naive, abs=0.03)
    assert LEAST <= np.mean(covered) <= MOST


def test_nine_rows_of_a_prompt_and_their_mean_give_the_same_interval() -> None:
    # The simulation above works on the means of the nine comparisons; this is why it may.
    cells = stream(0, "cells").integers(0, 2, (40, 9))
    by_row = clustered_mean(cells.ravel(), clusters=np.repeat(np.arange(40), 9))
    assert by_row[:3] == pytest.approx(clustered_mean(cells.mean(axis=1))[:3], abs=1e-12)
