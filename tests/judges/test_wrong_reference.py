from __future__ import annotations

import asyncio

from rewardlab.judges.direct import Direct
from rewardlab.judges.wrong_reference import WrongReference, misled
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.task import Candidate, Form, Message, Provenance, Resource, ResourceKind, Task

REFERENCE = Resource("reference", ResourceKind.REFERENCE, "42", Provenance.PROGRAM)
CHECKLIST = Resource("checklist", ResourceKind.CHECKLIST, "[]", Provenance.PROGRAM)


def task(*texts: str, resources: tuple[Resource, ...] = (REFERENCE, CHECKLIST)) -> Task:
    candidates = tuple(Candidate(str(n), text) for n, text in enumerate(texts))
    return Task("t", Form.PICK, (Message("user", "6 * 7?"),), candidates, resources)


def test_the_reference_becomes_the_answer_of_a_wrong_candidate() -> None:
    asked = task("The answer is 42.", "The answer is 41.", "The answer is 40.")
    wrong = misled(asked)
    assert [r.content for r in wrong.resources] == ["41", "[]"]
    assert (wrong.question, wrong.candidates) == (asked.question, asked.candidates)
    assert misled(task("It is 42.", "It is 41.", resources=(CHECKLIST,))).resources == (CHECKLIST,)


def test_without_a_wrong_candidate_there_is_no_reference() -> None:
    assert misled(task("The answer is 42.", "So the answer is 42!")).resources == (CHECKLIST,)


class Seeing(Direct):
    """Keeps the tasks that it is given."""

    def __init__(self, generator: ScriptedGenerator) -> None:
        super().__init__(generator)
        self.tasks: list[Task] = []

    async def judge(self, task: Task):  # type: ignore[no-untyped-def]
        self.tasks.append(task)
        return await super().judge(task)


def test_the_judge_behind_it_gets_the_misled_task() -> None:
    judge = WrongReference(ScriptedGenerator(["B"]), Seeing)
    asked = task("The answer is 42.", "The answer is 41.")
    verdict = asyncio.run(judge.judge(asked))
    assert judge._judge.tasks == [misled(asked)]  # type: ignore[attr-defined]
    assert verdict.choice == "1"
    inner = Direct(ScriptedGenerator())
    assert (judge.forms, judge.setting, judge.identity()) == (inner.forms, inner.setting, inner.identity())
