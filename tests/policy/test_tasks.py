from __future__ import annotations

import json

import pytest

from rewardlab.benchmarks.verifiable import examples
from rewardlab.policy.reward import check_hidden
from rewardlab.policy.tasks import Tasks, verifiable
from rewardlab.task import ResourceKind

PROSE = ["length_constraints:number_sentences", "keywords:frequency"]


@pytest.fixture(scope="module")
def tasks() -> Tasks:
    return verifiable(
        "mixed",
        ["counted_sentences", "chain_sum"],
        per_family=6,
        validation_per_family=2,
        test_per_family=4,
        unrewarded=["chosen_words"],
        heldout=["paragraphs_and_capitals"],
        prose=PROSE,
    )


def test_exams_share_no_question_with_training(tasks: Tasks) -> None:
    trained = {prompt.messages for prompt in tasks.train}
    by_name = {exam.name: {prompt.messages for prompt in exam.prompts} for exam in (*tasks.validation, *tasks.final)}
    assert {name: len(asked) for name, asked in by_name.items()} == {
        "dev": 4, "train": 8, "test": 8, "unrewarded": 4, "heldout": 4,
    }  # fmt: skip
    assert by_name["train"] <= trained
    assert not trained & set().union(*(asked for name, asked in by_name.items() if name != "train"))
    check_hidden(tasks.train, tasks.train)


def test_kinds_in_prose_are_sentences_for_verifiers_and_graded_all_the_same(tasks: Tasks) -> None:
    (test,) = (exam for exam in tasks.final if exam.name == "test")
    right = {e.id: e.draft.right[0] for e in examples("test", 4, 0, ["counted_sentences", "chain_sum"])}
    wrong = {e.id: e.draft.wrong for e in examples("test", 4, 0, ["counted_sentences", "chain_sum"])}
    answers = [next(iter(right[prompt.id].texts.values())) for prompt in test.prompts]
    assert test.results(test.graded(answers)) == {"test/accuracy": 1.0, "test/share": 1.0}
    for prompt in test.prompts:
        for solution in wrong[prompt.id]:
            assert test.grade(prompt, next(iter(solution.texts.values())))["accuracy"] == 0.0
        for checklist in prompt.of_kind(ResourceKind.CHECKLIST):
            entries = json.loads(checklist.content)
            assert [entry for entry in entries if isinstance(entry, dict)] == [
                entry for entry in json.loads(prompt.of_kind(ResourceKind.METADATA)[0].content)
                if entry["kind"] not in PROSE
            ]  # fmt: skip
            assert sum(isinstance(entry, str) for entry in entries) == 2


def test_what_the_policy_sees_does_not_change(tasks: Tasks) -> None:
    plain = verifiable("plain", ["counted_sentences"], 6, 0, 1)
    assert [p.messages for p in plain.train] == [p.messages for p in tasks.train if "counted" in p.id]
