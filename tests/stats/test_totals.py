from __future__ import annotations

import pytest

from rewardlab.randomness import stream
from rewardlab.stats.totals import remaining_total


@pytest.mark.parametrize(("n", "sample"), [(400, 16), (60, 30)])
def test_the_interval_covers_what_remains_as_often_as_it_says(n: int, sample: int) -> None:
    rng = stream(0, "totals")
    hits, draws = 0, 4000
    for _ in range(draws):
        population = rng.gamma(20.0, 50.0, n)
        drawn = rng.permutation(n)
        interval = remaining_total(population[drawn[:sample]], n - sample)
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= population[drawn[sample:]].sum() <= interval.high
    assert 0.935 <= hits / draws <= 0.965


def test_what_cannot_be_said_is_none_with_a_reason() -> None:
    assert remaining_total([], 5)[:3] == (None, None, None)
    assert remaining_total([3.0], 5)[:3] == (15.0, None, None)
    assert remaining_total([3.0], 5).reason == "one value"


def test_nothing_remains() -> None:
    assert remaining_total([3.0, 9.0], 0)[:3] == (0.0, 0.0, 0.0)


def test_counts_cannot_be_negative() -> None:
    assert remaining_total([0.0, 100.0], 50).low == 0.0
