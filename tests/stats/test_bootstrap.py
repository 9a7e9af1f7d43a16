from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from rewardlab.randomness import stream
from rewardlab.stats import Interval, mean_interval
from rewardlab.stats.bootstrap import counts_bootstrap, totals_bootstrap, two_level_bootstrap
from rewardlab.stats.clusters import weighted_sums
from rewardlab.stats.estimates import FloatArray
from tests.stats.simulation import LEAST, MOST, coverage

DOMAINS = (129, 228, 529, 441)  # prompts of RM-Bench by domain, nine comparisons each


def _rm_bench() -> dict[str, FloatArray]:
    rng = stream(0, "table")
    prompts = np.repeat(np.arange(len(DOMAINS)), DOMAINS)
    verdicts = rng.random((len(prompts), 9)) < rng.beta(2, 1, len(prompts))[:, None]
    return {
        "values": verdicts.ravel().astype(float),
        "weights": np.repeat(1 / np.array(DOMAINS)[prompts], 9),
        "clusters": np.repeat(np.arange(len(prompts)), 9),
        "strata": np.repeat(prompts, 9),
    }


def _mean(values: FloatArray, rng: np.random.Generator, **options: object) -> Interval:
    """The plain mean through the path of sums."""
    table, _, _ = weighted_sums(values)
    assert table is not None
    return totals_bootstrap(table.sums, table.stratum, table.mean_of_totals, rng, n=len(values), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("bca", "method"), [(True, "BCa"), (False, "percentile")])
def test_ends_equal_scipy_up_to_the_noise_of_the_draws(bca: bool, method: str) -> None:
    values = stream(0, "skewed").exponential(size=40)
    ours = _mean(values, stream(0, "ours"), draws=100_000, bca=bca)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=100_000, method=method, rng=stream(0, "theirs"), batch=10_000
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert ours.method == f"{method} bootstrap"


def test_strata_equal_scipy_up_to_the_noise_of_the_draws() -> None:
    rng = stream(0, "strata")
    groups = [rng.exponential(size=15), rng.exponential(3.0, size=60)]

    def average(a: FloatArray, b: FloatArray, axis: int) -> FloatArray:
        return (a.mean(axis=axis) + b.mean(axis=axis)) / 2

    theirs = stats.bootstrap(groups, average, n_resamples=50_000, rng=rng, batch=10_000).confidence_interval
    ours = mean_interval(
        np.concatenate(groups),
        rng,
        np.repeat([1 / 15, 1 / 60], [15, 60]),
        None,
        np.repeat([0, 1], [15, 60]),
        draws=50_000,
    )
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_few_distinct_sums_and_all_clusters_one_by_one_agree() -> None:
    # 200 clusters with 3 different sums take the multinomial; noise of 1e-9 makes all differ and takes the other path.
    values = stream(0, "paths").integers(0, 3, 200).astype(float)
    jittered = values + 1e-9 * np.arange(200)
    one, other = (_mean(v, stream(0, "draws"), draws=50_000) for v in (values, jittered))
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.005)


def test_counts_and_totals_are_the_same_bootstrap() -> None:
    values = stream(0, "both").normal(size=50)
    by_counts = counts_bootstrap(
        lambda counts: counts @ values / counts.sum(axis=1), np.zeros(50, dtype=int), stream(0, "a"), n=50, draws=50_000
    )
    by_totals = _mean(values, stream(0, "b"), draws=50_000)
    assert by_counts.point == pytest.approx(by_totals.point, abs=1e-15)
    assert (by_counts.low, by_counts.high) == pytest.approx((by_totals.low, by_totals.high), abs=0.01)


def test_counts_stay_within_strata() -> None:
    seen: list[FloatArray] = []

    def note(counts: FloatArray) -> FloatArray:
        seen.append(counts)
        return counts @ np.arange(5.0)

    counts_bootstrap(note, np.array([0, 0, 0, 1, 1]), np.random.default_rng(0), n=5, draws=300)
    draws = seen[1]
    assert draws.shape == (300, 5)
    assert np.all(draws[:, :3].sum(axis=1) == 3) and np.all(draws[:, 3:].sum(axis=1) == 2)


def test_any_statistic_can_be_bootstrapped_from_the_drawn_clusters() -> None:
    values = stream(0, "median").normal(size=60)

    def median(counts: FloatArray) -> FloatArray:
        return np.array([np.median(np.repeat(values, times.astype(int))) for times in counts])

    interval = counts_bootstrap(median, np.zeros(60, dtype=int), np.random.default_rng(0), n=60, draws=500, bca=False)
    assert interval.point == np.median(values)
    assert interval.low < interval.point < interval.high  # type: ignore[operator]


def test_a_degenerate_jackknife_falls_back_to_percentiles() -> None:
    # The sum of two clusters' labels drawn: leaving one out of a balanced pair moves the statistic by nothing.
    interval = counts_bootstrap(
        lambda counts: np.abs(counts[:, 0] - counts[:, 1]),
        np.zeros(2, dtype=int),
        np.random.default_rng(0),
        n=2,
        draws=400,
    )
    assert interval.method == "percentile bootstrap"


def test_a_statistic_undefined_on_many_draws_has_no_interval() -> None:
    def first_cluster_only(counts: FloatArray) -> FloatArray:
        return np.where(counts[:, 0] > 0, counts.sum(axis=1), np.nan)

    interval = counts_bootstrap(first_cluster_only, np.zeros(9, dtype=int), np.random.default_rng(0), n=9, draws=1000)
    assert interval.low is None and interval.high is None
    assert interval.reason.startswith("undefined on 3")


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    table = _rm_bench()
    runs = [repr(mean_interval(rng=stream(seed, "run"), draws=500, **table)) for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


def test_the_order_of_the_rows_and_the_names_of_the_clusters_change_nothing() -> None:
    table = _rm_bench()
    order = stream(0, "order").permutation(len(table["values"]))
    shuffled = {name: column[order] for name, column in table.items()}
    shuffled["clusters"] = np.array([f"prompt {-c}" for c in shuffled["clusters"]])
    one, other = (mean_interval(rng=stream(0, "run"), draws=500, **t) for t in (table, shuffled))
    assert repr(one) == repr(other)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@pytest.mark.slow
def test_10000_draws_of_rm_bench_take_under_2_seconds_and_a_tenth_of_scipy() -> None:
    """The same statistic both times: the average over four domains of weighted means, prompts drawn within domains."""
    table = _rm_bench()
    ends = np.cumsum(DOMAINS)[:-1]
    values, weights = (np.split(table[name].reshape(-1, 9), ends) for name in ("values", "weights"))

    def average(*prompts: FloatArray, axis: int) -> FloatArray:
        of_domain = [
            (w[p] * v[p]).sum(axis=(-2, -1)) / w[p].sum(axis=(-2, -1))
            for v, w, p in zip(values, weights, prompts, strict=True)
        ]
        return sum(of_domain) / len(of_domain)

    def scipy() -> None:
        drawn = stats.bootstrap(
            [np.arange(n) for n in DOMAINS], average, n_resamples=10_000, batch=1000, rng=stream(0, "scipy")
        ).confidence_interval
        ours = mean_interval(rng=stream(0, "ours"), **table)
        assert (ours.low, ours.high) == pytest.approx((drawn.low, drawn.high), abs=0.001)

    ours = min(_seconds(lambda: mean_interval(rng=stream(0, "ours"), **table)) for _ in range(5))
    graded = {**table, "values": stream(0, "graded").random(len(table["values"]))}
    assert min(_seconds(lambda: mean_interval(rng=stream(0, "ours"), **graded)) for _ in range(2)) < 2
    assert ours < 2
    assert _seconds(scipy) > 10 * ours


@pytest.mark.slow
@pytest.mark.parametrize("bca", [True, False], ids=["BCa", "percentile"])
def test_bootstrap_of_weighted_clusters_in_strata_covers(bca: bool) -> None:
    stratum = np.repeat([0, 1, 2], [40, 60, 50])
    clusters = np.repeat(np.arange(150), 3)
    strata = stratum[clusters]
    weights = 1 / np.bincount(strata)[strata]

    def draw(rng: np.random.Generator) -> Interval:
        rate = rng.beta(3 - stratum, 1)
        values = rng.random(450) < rate[clusters]
        table, _, _ = weighted_sums(values, weights, clusters, strata)
        assert table is not None
        return totals_bootstrap(table.sums, table.stratum, table.mean_of_totals, rng, n=450, draws=1000, bca=bca)

    truth = np.mean([3 / 4, 2 / 3, 1 / 2])
    assert LEAST <= coverage("bootstrap", float(truth), draw, 1500) <= MOST


def test_two_levels_cover_what_varies_between_clusters_and_seeds() -> None:
    """Values are cluster + seed + noise; 95 % intervals around the mean must cover zero about that often."""
    clusters, seeds, hits = 60, 10, 0
    trials = 200
    for trial in range(trials):
        rng = stream(trial, "two levels")
        values = rng.normal(size=(1, clusters)) + 0.3 * rng.normal(size=(seeds, 1)) + rng.normal(size=(seeds, clusters))

        def mean(counts: np.ndarray, seed_counts: np.ndarray, values: np.ndarray = values) -> np.ndarray:
            by_seed = counts @ values.T / counts.sum(-1, keepdims=True)
            return (by_seed * seed_counts).sum(-1) / seed_counts.sum(-1)

        found = two_level_bootstrap(mean, np.zeros(clusters, dtype=int), seeds, rng, n=clusters, draws=400)
        assert found.point == pytest.approx(values.mean())
        assert found.low is not None and found.high is not None
        hits += found.low <= 0 <= found.high
    assert 0.90 <= hits / trials <= 0.99


def test_two_levels_need_two_seeds() -> None:
    found = two_level_bootstrap(lambda c, s: c.sum(-1), np.zeros(5, dtype=int), 1, stream(0, "x"), n=5)
    assert found.low is None and found.reason == "one seed"
