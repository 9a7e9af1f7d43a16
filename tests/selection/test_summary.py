from __future__ import annotations

import numpy as np
import pytest

from rewardlab.evaluation.plan import Protocol
from rewardlab.selection import worth
from rewardlab.selection.arms import Arm, Rules
from rewardlab.selection.pool import Pools
from rewardlab.selection.summary import gap_closed, items, selections
from rewardlab.stats import Interval, paired_test
from tests.selection.toy import toy_pool
from tests.stats.simulation import LEAST, MOST, coverage

RULES = Rules(Protocol.AUDITED, 0, "toy", lambda score: score)


def test_gap_closed_is_a_ratio_of_means() -> None:
    found = gap_closed([1, 0, 1, 1], [0.5, 0, 0, 1], [1, 1, 1, 1], np.random.default_rng(0))
    assert found.point == pytest.approx(1.5 / 2.5)
    assert found.low is not None and found.high is not None and found.low < 0.6 < found.high
    worse = gap_closed([0, 0, 0], [0.5, 0.5, 0.2], [1, 1, 1], np.random.default_rng(0))
    assert worse.point is not None and worse.point < 0


def test_gap_closed_is_undefined_without_a_gap() -> None:
    found = gap_closed([1, 0], [1, 0], [1, 0], np.random.default_rng(0))
    assert (found.point, found.low, found.reason) == (None, None, "the oracle is no better than the baseline")


@pytest.mark.slow
def test_gap_closed_covers() -> None:
    def draw(rng: np.random.Generator) -> Interval:
        right = rng.random((120, 4)) < rng.beta(1, 2, (120, 1))
        baseline, oracle = right.mean(axis=1), right.max(axis=1).astype(float)
        selected = np.where(rng.random(120) < 0.5, oracle, baseline)  # half of the way, in the mean
        return gap_closed(list(selected), list(baseline), list(oracle), rng, draws=500)

    assert LEAST <= coverage("gap closed", 0.5, draw, 1500) <= MOST


def test_undecided_prompts_earn_nothing_and_are_bounded() -> None:
    pools = Pools(tuple(toy_pool([0.5, 1.0], name=f"p{n}") for n in range(4)), 0, "the greedy response")
    worths = tuple(
        worth.Worth({1: 0.5, 2: value}, 0.5 if value is None else value, 1.0) for value in (1.0, 1.0, None, 0.5)
    )
    references = [
        Arm(name, False, tuple(made(pool) for pool in pools.pools))
        for name, made in (("pass@1", lambda p: worth.one(p, 0)), ("random", worth.random), ("oracle", worth.oracle))
    ]
    arm = Arm("knockout", True, worths)
    figures = {f["name"]: f for f in selections(pools, [*references, arm], RULES, {})}
    found = figures["knockout"]
    assert (found["selected"]["point"], found["undecided"]) == (0.625, 1)
    assert (found["excluded"], found["worst"], found["best"]) == (pytest.approx(2.5 / 3), 0.75, 1.0)
    assert found["minus_random"]["point"] == pytest.approx(0.625 - 0.75)
    assert found["helpfulness"]["point"] == pytest.approx((0.625 - 0.5) / (1 - 0.5))
    assert found["curve"] == {"1": 0.5, "2": 0.625}
    test = paired_test(arm.credits, references[1].credits, np.random.default_rng(0))
    assert (found["minus_random"]["p"], found["minus_random"]["test"]) == (test.p, test.method)
    assert "minus_random" not in figures["oracle"]
    grades = items(pools, [*references, arm])
    assert [(g.cluster, g.group, g.strict) for g in grades][2] == ("p2", "knockout", None) and len(grades) == 4
