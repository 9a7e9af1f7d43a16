"""The benchmark as others see it: forms, order, resources, gold and grading."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from rewardlab.benchmarks.verifiable import SPLITS, Verifiable, examples
from rewardlab.errors import UnknownName
from rewardlab.task import Form, Provenance, ResourceKind, Setting, Task
from rewardlab.verdict import Judgment, Status, Verdict

HASH = """
from rewardlab.benchmarks.verifiable import Verifiable
print(Verifiable(form="rate", per_family=3).identity()["sha256"])
"""


def judged(task: Task, choice: str | None, order: tuple[str, ...] = (), repeat: int = 0) -> Judgment:
    verdict = Verdict(Status.OK, choice=choice) if choice else Verdict(Status.UNPARSEABLE)
    return Judgment(task.id, order or tuple(c.id for c in task.candidates), repeat, verdict)


@pytest.mark.parametrize("form", ["pick", "pair", "rate"])
def test_a_form_has_gold_for_every_task_and_a_place_for_it(form: str) -> None:
    benchmark = Verifiable(form=form, per_family=4)
    tasks = benchmark.tasks(Setting.STANDARD)
    assert [t.id for t in tasks] == list(benchmark.gold()) == list(benchmark.places())
    assert all(t.form is Form(form) for t in tasks)
    assert all(benchmark.gold()[t.id] <= {c.id for c in t.candidates} for t in tasks)


def test_two_processes_make_the_same_rows() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", HASH], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True
        )
        for seed in ("1", "2")
    ]
    hashes = {process.communicate()[0].strip() for process in running}
    assert hashes == {Verifiable(form="rate", per_family=3).identity()["sha256"]}


def test_splits_share_no_question() -> None:
    questions = {split: {e.draft.question for e in examples(split, 15)} for split in SPLITS}
    for split in SPLITS:
        for other in SPLITS:
            assert split == other or not questions[split] & questions[other]
    assert not {e.family for e in examples("heldout", 2)} & {e.family for e in examples("test", 2)}


def test_seeds_give_other_questions_of_the_same_split() -> None:
    """HumanEval has so few tasks that every seed gets the same ones."""
    first, second = ({e.draft.question for e in examples("test", 5, seed) if e.group != "code"} for seed in (0, 1))
    assert len(first) == len(second) > 50
    assert not first & second


def test_cells_come_equally_often_and_the_matrix_has_all_nine() -> None:
    single = Verifiable(form="pair", per_family=18)
    cells = Counter(p.item.cell for p in single._presented.values())
    assert len(cells) == 9
    assert max(cells.values()) - min(cells.values()) <= 1
    matrix = Verifiable(form="pair", per_family=2, matrix=True)
    assert len(matrix.tasks(Setting.STANDARD)) == 9 * len(matrix.examples)


def test_the_standard_setting_has_no_resource_and_the_other_only_what_is_not_label_derived() -> None:
    benchmark = Verifiable(per_family=2)
    assert not any(t.resources for t in benchmark.tasks(Setting.STANDARD))
    resources = [r for t in benchmark.tasks(Setting.RESOURCE) for r in t.resources]
    assert {r.kind for r in resources} >= {ResourceKind.REFERENCE}
    for resource in resources:
        human = resource.kind is ResourceKind.TESTS
        assert resource.provenance is (Provenance.HUMAN if human else Provenance.PROGRAM)


def test_a_judge_that_knows_gold_gets_everything_and_one_that_is_silent_nothing() -> None:
    benchmark = Verifiable(per_family=3)
    tasks, gold = benchmark.tasks(Setting.STANDARD), benchmark.gold()
    right = benchmark.grade([judged(t, next(iter(gold[t.id]))) for t in tasks])
    assert right.official["accuracy"] == right.strict["accuracy"] == 1
    silent = benchmark.grade([judged(t, None) for t in tasks])
    assert silent.strict["accuracy"] == silent.strict["answered"] == 0
    assert {(item.strict, item.official) for item in silent.items} == {(None, 0.0)}


def test_tasks_without_a_judgment_are_left_out() -> None:
    benchmark = Verifiable(per_family=3)
    task = benchmark.tasks(Setting.STANDARD)[0]
    grades = benchmark.grade([judged(task, next(iter(benchmark.gold()[task.id])))])
    assert [item.item for item in grades.items] == [task.id]


def test_a_pair_judged_by_position_is_half_right_and_never_consistent() -> None:
    benchmark = Verifiable(form="pair", per_family=9)
    judgments = []
    for task in benchmark.tasks(Setting.STANDARD):
        ids = tuple(c.id for c in task.candidates)
        judgments += [judged(task, order[0], order) for order in (ids, ids[::-1])]
    metrics = benchmark.grade(judgments).strict
    assert metrics["accuracy"] == 0.5
    assert metrics["consistent_accuracy"] == 0
    assert metrics["position_bias"] == 1
    assert metrics["hard"] == metrics["normal"] == metrics["easy"] == 0.5


def test_a_judge_of_length_alone_fails_the_hard_cells_and_wins_the_easy_ones() -> None:
    benchmark = Verifiable(form="pair", per_family=4, matrix=True)
    longest = [judged(t, max(t.candidates, key=lambda c: len(c.text)).id) for t in benchmark.tasks(Setting.STANDARD)]
    metrics = benchmark.grade(longest).strict
    assert metrics["easy"] > 0.9
    assert metrics["hard"] < 0.1


def rating(task: Task, score: float) -> Judgment:
    (candidate,) = task.candidates
    return Judgment(task.id, (candidate.id,), 0, Verdict(Status.OK, scores={candidate.id: score}))


def test_ratings_share_credit_among_the_best_rated() -> None:
    benchmark = Verifiable(form="rate", per_family=2, families=["chain_sum"])
    tasks, gold = benchmark.tasks(Setting.STANDARD), benchmark.gold()
    assert benchmark.grade([rating(t, 5) for t in tasks]).strict["accuracy"] == 0.25
    assert benchmark.grade([rating(t, 9 if gold[t.id] else 3) for t in tasks]).strict["accuracy"] == 1
    assert benchmark.grade([rating(t, 3 if gold[t.id] else 9) for t in tasks]).strict["accuracy"] == 0
    missing = benchmark.grade([rating(t, 9 if gold[t.id] else 3) for t in tasks[1:]])
    assert missing.strict["answered"] == 0.5


def test_of_several_right_candidates_all_must_beat_every_wrong_one() -> None:
    benchmark = Verifiable(form="rate", per_family=2, families=["countdown"])
    tasks, gold = benchmark.tasks(Setting.STANDARD), benchmark.gold()
    assert sum(bool(right) for right in gold.values()) == 2 * 3
    perfect = [rating(t, 8 if gold[t.id] else 3) for t in tasks]
    assert benchmark.grade(perfect).strict["accuracy"] == 1
    assert benchmark.grade(perfect).strict["margin/ties"] == 5
    place = next(i for i, t in enumerate(tasks) if gold[t.id])
    one_low = [*perfect[:place], rating(tasks[place], 2), *perfect[place + 1 :]]
    assert benchmark.grade(one_low).strict["accuracy"] == 0.5
    assert benchmark.grade(one_low).strict["margin/ties"] == (5 - 1) / 2


def test_ties_appear_only_where_candidates_are_rated_alone() -> None:
    assert "ties" not in {example.group for example in Verifiable(per_family=1).examples}
    assert "ties" in {example.group for example in Verifiable(form="rate", per_family=1).examples}
    with pytest.raises(UnknownName, match="countdown"):
        Verifiable(per_family=1, families=["countdown"])


@pytest.mark.parametrize(
    ("options", "near"),
    [
        ({"split": "tset"}, "test"),
        ({"form": "pic"}, "pick"),
        ({"families": ["chain_sums"]}, "chain_sum"),
        ({"split": "heldout", "families": ["chain_sum"]}, "decimal_chain_sum"),
    ],
    ids=["split", "form", "family", "family_of_another_split"],
)
def test_a_wrong_name_gets_the_nearest_ones(options: dict[str, object], near: str) -> None:
    with pytest.raises(UnknownName, match=near):
        Verifiable(per_family=1, **options)  # type: ignore[arg-type]


def test_a_judgment_of_something_else_is_refused() -> None:
    benchmark = Verifiable(per_family=1)
    task = benchmark.tasks(Setting.STANDARD)[0]
    with pytest.raises(ValueError, match="no task"):
        benchmark.grade([Judgment("nothing", (), 0, Verdict(Status.REFUSED))])
    with pytest.raises(ValueError, match="candidates"):
        benchmark.grade([judged(task, "nobody")])
