from __future__ import annotations

import pytest

from rewardlab.benchmarks.processbench import accuracies
from rewardlab.training.process_metrics import Scored, best_of_n, chosen_threshold, first_error_metrics


def judged(
    group: str, first: int, steps: tuple[float, ...], problem: str = "p", right: bool | None = None, votes: int = 0
) -> Scored:
    return Scored("validation", problem, group, first, right, votes, steps)


ROWS = [
    judged("a", 1, (0.9, 0.3, 0.1)),
    judged("a", 0, (0.7, 0.2)),
    judged("a", -1, (0.9, 0.8)),
    judged("b", 2, (0.9, 0.9, 0.1)),
    judged("b", -1, (0.6, 0.4)),
]


def test_the_metrics_are_processbench_s_by_group() -> None:
    found = first_error_metrics(ROWS, 0.5)
    a, b = accuracies([(1, 1), (0, 1), (-1, -1)]), accuracies([(2, 2), (-1, 1)])
    assert (found["error_accuracy/a"], found["correct_accuracy/a"], found["f1/a"]) == pytest.approx(tuple(a))
    assert (found["error_accuracy/b"], found["correct_accuracy/b"]) == (1.0, 0.0)
    assert found["f1"] == pytest.approx((a.f1 + b.f1) / 2)


def test_finding_nothing_is_zero_and_an_undefined_side_is_left_out() -> None:
    assert first_error_metrics([judged("a", 0, (0.9,)), judged("a", -1, (0.1,))], 0.5)["f1"] == 0.0
    assert "f1" not in first_error_metrics([judged("a", 0, (0.1,))], 0.5)


def test_the_threshold_is_the_best_one() -> None:
    best = chosen_threshold(ROWS)
    assert first_error_metrics(ROWS, best)["f1"] > first_error_metrics(ROWS, 0.5)["f1"]
    assert chosen_threshold([]) == 0.5


def test_best_of_n_takes_the_first_of_the_best_by_each_readout() -> None:
    rows = [
        judged("a", 0, (0.9, 0.5), "p", False, 1),  # best product 0.45 and mean
        judged("a", -1, (0.6, 0.6), "p", True, 1),  # best min and last
        judged("a", -1, (0.6, 0.6), "q", False, 1),
        judged("a", -1, (0.6, 0.6), "q", True, 2),  # equal to the first one, which is taken
        judged("a", -1, (0.2, 0.6), "q", True, 2),  # but the answer that most of them give is right
    ]
    found = best_of_n(rows)
    chances = {"product": 0.0, "min": 0.5, "last": 0.5, "mean": 0.0, "majority": 0.5, "random": 7 / 12, "oracle": 1.0}
    assert found == pytest.approx(chances)
