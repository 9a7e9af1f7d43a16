"""What the step probabilities of a process reward model are worth on solutions whose truth is known.

First errors are graded as ProcessBench grades them, by group, with both accuracies beside the F1. Best-of-n takes, of
the candidates of a problem, the one whose readout is highest (the first of equals, as upstream's rm_maj_eval.py does);
beside it stand a random candidate's chance, the answer that most candidates give, and the oracle's.

All numbers are functions of `Scored` and `Named` rows, which a run keeps (outputs.jsonl.zst) and which hold no text.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rewardlab.benchmarks.processbench import accuracies, first_failing_step
from rewardlab.judges.step_readouts import READOUTS

THRESHOLDS = tuple(n / 100 for n in range(2, 100))


@dataclass(frozen=True, slots=True)
class Named:
    """Where the annotators put the first error of a training solution.

    Attributes:
        problem: Names the problem.
        group: For numbers by group.
        first_error: The true one, -1 for none; None where nobody knows.
        named: The annotators' one; None where they did not agree and training does without the solution.
    """

    problem: str
    group: str
    first_error: int | None
    named: int | None


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of a solution with a known truth.

    Attributes:
        part: "validation" or "test".
        problem: Names the problem; solutions of one problem are candidates beside each other.
        group: For numbers by group.
        first_error: Index of the first wrong step, -1 when all are right.
        answer_right: Whether the final answer is right; None where nobody knows.
        votes: Candidates of the problem that give this one's answer, itself included; 0 where answers are unknown.
        steps: Probability that each step is right.
    """

    part: str
    problem: str
    group: str
    first_error: int
    answer_right: bool | None
    votes: int
    steps: tuple[float, ...]


def final_metrics(named: Sequence[Named], scored: Sequence[Scored]) -> dict[str, float]:
    """Quality of the labels, F1 of the first error under both thresholds, and best-of-n under every readout."""
    kept = [row for row in named if row.named is not None]
    wrong = sum(row.first_error not in (row.named, None) for row in kept)
    test = [row for row in scored if row.part == "test"]
    threshold = chosen_threshold(scored)
    return {
        "labels/kept": len(kept) / max(1, len(named)),
        "labels/wrong_index": wrong / max(1, len(kept)),
        "threshold": threshold,
        **{f"at_0.5/{name}": value for name, value in first_error_metrics(test, 0.5).items()},
        **{f"at_threshold/{name}": value for name, value in first_error_metrics(test, threshold).items()},
        **{f"best_of_n/{name}": value for name, value in best_of_n(test).items()},
        "min_at_last": sum(map(least_is_last, test)) / max(1, len(test)),
    }


def first_error_metrics(rows: Sequence[Scored], threshold: float) -> dict[str, float]:
    """F1 and both accuracies by group and as means over groups; what is undefined is left out.

    Args:
        rows: Solutions.
        threshold: A step below it is wrong.
    """
    by_group: defaultdict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for row in rows:
        by_group[row.group].append((row.first_error, first_failing_step(row.steps, threshold)))
    found: dict[str, float] = {}
    for group, pairs in sorted(by_group.items()):
        error, correct, f1 = accuracies(pairs)
        # 0/0 where both accuracies exist is a model that finds nothing, and not an undefined one.
        f1 = 0.0 if error == correct == 0 else f1
        found |= {f"f1/{group}": f1, f"error_accuracy/{group}": error, f"correct_accuracy/{group}": correct}
    for name in ("f1", "error_accuracy", "correct_accuracy"):
        defined = [v for key, v in found.items() if key.startswith(f"{name}/") and not math.isnan(v)]
        found[name] = math.fsum(defined) / len(defined) if defined else math.nan
    return {name: value for name, value in found.items() if not math.isnan(value)}


def chosen_threshold(scored: Sequence[Scored]) -> float:
    """The threshold with the highest mean F1 on the validation rows, the lowest of equals; 0.5 where there are none."""
    validation = [row for row in scored if row.part == "validation"]
    if not validation:
        return 0.5
    return max(THRESHOLDS, key=lambda threshold: first_error_metrics(validation, threshold).get("f1", 0.0))


def best_of_n(rows: Sequence[Scored]) -> dict[str, float]:
    """Share of problems whose chosen candidate has the right answer, by each rule; random is a chance."""
    worths = [worth(of_problem) for of_problem in by_problem(rows).values()]
    if not worths:
        return {}
    return {name: math.fsum(worth[name] for worth in worths) / len(worths) for name in worths[0]}


def by_problem(rows: Sequence[Scored]) -> dict[str, list[Scored]]:
    """The candidates of each problem whose answers are graded."""
    found: defaultdict[str, list[Scored]] = defaultdict(list)
    for row in rows:
        if row.answer_right is not None:
            found[row.problem].append(row)
    return dict(found)


def worth(candidates: Sequence[Scored]) -> dict[str, float]:
    """Whether the candidate that each rule chooses is right, for the candidates of one problem."""
    rights = [bool(row.answer_right) for row in candidates]
    return {
        **{name: float(bool(max(candidates, key=lambda c: of(c.steps)).answer_right)) for name, of in READOUTS.items()},
        "majority": float(bool(max(candidates, key=lambda c: c.votes).answer_right)),
        "random": sum(rights) / len(rights),
        "oracle": float(any(rights)),
    }


def least_is_last(row: Scored) -> bool:
    """Whether the least probable step is the last one."""
    return row.steps.index(min(row.steps)) == len(row.steps) - 1
