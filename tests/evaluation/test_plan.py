from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter

import pytest
from scipy.stats import chisquare

from rewardlab.benchmarks.protocol import Place
from rewardlab.errors import UserError
from rewardlab.evaluation.plan import Protocol, display_orders, make_plan, sample_examples
from rewardlab.judges.protocol import Judge
from rewardlab.task import Candidate, Form, Message, Task
from tests.evaluation.toy import ToyBenchmark, ToyJudge

STRATA = {"math": 60, "code": 30, "chat": 10}


def places() -> dict[str, Place]:
    return dict(ToyBenchmark(STRATA, tasks_per_example=3).places())


@pytest.mark.parametrize("limit", [1, 3, 10, 50, 99])
def test_a_limit_keeps_the_shares_of_the_strata(limit: int) -> None:
    chosen = sample_examples(places(), limit, 0, "toy")
    assert len(chosen) == limit
    counts = Counter(example.split("-")[0] for example in chosen)
    for stratum, n in STRATA.items():
        assert abs(counts[stratum] - limit * n / 100) < 1


def test_a_limit_is_seeded_and_not_the_head() -> None:
    first, again, other = (sample_examples(places(), 10, seed, "toy") for seed in (0, 0, 1))
    assert first == again != other
    assert first != {p.example for p in list(places().values())[:10]}


def test_no_limit_takes_everything_and_zero_is_refused() -> None:
    assert len(sample_examples(places(), None, 0, "toy")) == 100
    assert len(sample_examples(places(), 1000, 0, "toy")) == 100
    with pytest.raises(UserError, match="limit=0"):
        sample_examples(places(), 0, 0, "toy")


def test_all_tasks_of_a_chosen_example_are_planned_together_in_both_orders() -> None:
    plan = make_plan(ToyBenchmark(STRATA, 3), ToyJudge(), Protocol.AUDITED, 0, 5, repeats=2)
    assert len(plan) == 5 * 3 * 2 * 2
    examples = [p.task.id.rsplit("-", 1)[0] for p in plan]
    assert [e for i, e in enumerate(examples) if i == 0 or examples[i - 1] != e] == sorted(set(examples))
    for task in {p.task.id for p in plan}:
        orders = {tuple(c.id for c in p.task.candidates) for p in plan if p.task.id == task}
        assert len(orders) == 2
    assert len({p.key for p in plan}) == len(plan)


def test_the_released_protocol_shows_what_the_released_code_shows() -> None:
    plan = make_plan(ToyBenchmark({"math": 4}), ToyJudge(), Protocol.RELEASED, 0, None, 1)
    assert all(p.task.candidates[0].text == "yes" for p in plan)
    assert len(plan) == 4


def pick(i: int) -> Task:
    return Task(f"t{i}", Form.PICK, (Message("user", ""),), tuple(Candidate(c, "") for c in "wxyz"))


def test_display_orders_are_uniform() -> None:
    benchmark = ToyBenchmark({"math": 1})
    first = Counter(display_orders(pick(i), benchmark, Protocol.AUDITED, 0)[0] for i in range(4800))
    assert len(first) == 24
    assert chisquare(list(first.values())).pvalue > 0.01


def order_hash(seed: int) -> str:
    """One hash of the orders of many tasks, and of both orders of pairs."""
    benchmark = ToyBenchmark({"math": 1})
    orders = [display_orders(pick(i), benchmark, Protocol.AUDITED, seed) for i in range(100)]
    plan = make_plan(ToyBenchmark({"math": 50}), ToyJudge(), Protocol.AUDITED, seed, None, 1)
    return hashlib.sha256(repr((orders, [p.key for p in plan])).encode()).hexdigest()


ORDERS = """
from concurrent.futures import ThreadPoolExecutor
from tests.evaluation.test_plan import order_hash

with ThreadPoolExecutor(8) as threads:
    print(*threads.map(order_hash, [3] * 8))
"""


def test_display_orders_are_equal_in_two_processes_of_eight_threads() -> None:
    line = [sys.executable, "-c", ORDERS]
    runs = [subprocess.run(line, capture_output=True, text=True, check=True).stdout.split() for _ in range(2)]
    assert [len(hashes) for hashes in runs] == [8, 8]
    assert {*runs[0], *runs[1]} == {order_hash(3)}
    assert order_hash(4) != order_hash(3)


def test_a_judge_that_cannot_answer_the_form_is_refused_by_name() -> None:
    class RateOnly(ToyJudge):
        forms = frozenset({Form.RATE})

    judge: Judge = RateOnly()
    with pytest.raises(UserError, match="toy_judge answers rate; benchmark toy asks for pair"):
        make_plan(ToyBenchmark({"math": 1}), judge, Protocol.AUDITED, 0, None, 1)
