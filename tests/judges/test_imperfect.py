from __future__ import annotations

import asyncio
import json

import pytest

from rewardlab.errors import UnknownName
from rewardlab.judges.imperfect import CONSTRAINTS, GeneralRubric, Impression, PromptCriteria, Reader
from rewardlab.task import Candidate, Form, Message, Provenance, Resource, ResourceKind, Task
from rewardlab.verdict import Status, Verdict
from rewardlab.verifiers.constraints import describe

THREE = {"kind": "length_constraints:number_sentences", "min": 3, "max": 3}
NO_COMMA = {"kind": "punctuation:no_comma"}
GOOD, NEAR, BAD = "One. Two. Three.", "One. Two.", "One, and no more."


def task(text: str, prose: bool = True) -> Task:
    listed = [NO_COMMA, describe(THREE) if prose else THREE]
    resources = (
        Resource("checklist", ResourceKind.CHECKLIST, json.dumps(listed), Provenance.PROGRAM),
        Resource(CONSTRAINTS, ResourceKind.METADATA, json.dumps([NO_COMMA, THREE]), Provenance.PROGRAM),
    )
    return Task("t", Form.RATE, (Message("user", "?"),), (Candidate("c", text),), resources)


def judged(judge: Impression | GeneralRubric | PromptCriteria, text: str, prose: bool = True) -> Verdict:
    return asyncio.run(judge.judge(task(text, prose)))


@pytest.mark.parametrize(("text", "sharp", "blunt"), [(GOOD, 10, 10), (NEAR, 6, 10), (BAD, 1, 1)])
def test_an_impression_is_the_share_of_what_seems_followed(text: str, sharp: int, blunt: int) -> None:
    assert judged(Impression(Reader(0.0)), text).scores == {"c": sharp}
    assert judged(Impression(Reader(0.0, tolerance=1)), text).scores == {"c": blunt}


def test_a_liking_for_length_is_paid_for_words_alone() -> None:
    short, long = (judged(Impression(Reader(0.0), 0.5), text).scores["c"] for text in (BAD, BAD * 20))
    assert long > short


def test_misreadings_are_as_many_as_said_and_stay_with_the_text() -> None:
    texts = [f"Number {n}. Two. Three." for n in range(400)]
    reader = Reader(0.2)
    wrong = [judged(PromptCriteria(reader), text).scores["c"] < 10 for text in texts]
    assert 0.13 < sum(wrong) / len(wrong) < 0.27
    assert wrong == [judged(PromptCriteria(Reader(0.2)), text).scores["c"] < 10 for text in texts]
    assert wrong != [judged(PromptCriteria(Reader(0.2, seed=1)), text).scores["c"] < 10 for text in texts]


def test_prompt_criteria_are_those_that_no_program_is_bound_to() -> None:
    found = judged(PromptCriteria(Reader(0.0)), GOOD)
    assert [entry.criterion for entry in found.ledger] == [describe(THREE)]
    assert judged(PromptCriteria(Reader(0.0)), GOOD, prose=False).status is Status.SKIPPED


def test_general_questions_are_the_same_for_every_prompt() -> None:
    criteria = {"It follows every instruction.": 2.0, "It says nothing twice.": 1.0}
    judge = GeneralRubric(Reader(0.0), criteria)
    assert judged(judge, GOOD).scores["c"] == 10
    assert judged(judge, NEAR).scores["c"] == pytest.approx(4)
    assert judged(judge, "No. No. No.").scores["c"] == pytest.approx(7)
    with pytest.raises(UnknownName):
        GeneralRubric(Reader(0.0), {"It is nice.": 1.0})
