"""A control for judges that use a reference answer: the reference is the answer of a wrong candidate.

The wrong answer is that of a candidate which the reference contradicts, so it looks like any reference and one
candidate agrees with it. A judge whose verdict follows its evidence is then misled. A task whose reference contradicts
no candidate is judged without it. Only what the task shows is read, so the control needs no gold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from rewardlab.judges.protocol import Judge
from rewardlab.models.protocol import Generator
from rewardlab.task import Resource, ResourceKind, Task
from rewardlab.verdict import Decision, Verdict
from rewardlab.verifiers.reference import match_reference


class WrongReference:
    """Another judge, misled.

    Args:
        generator: The model.
        judge: The judge, still without its model (in yaml: `_partial_: true`).
        name: Name in tables.
    """

    def __init__(self, generator: Generator, judge: Callable[..., Judge], name: str = "wrong_reference") -> None:
        self.name = name
        self._judge = judge(generator=generator)
        self.forms, self.setting = self._judge.forms, self._judge.setting

    def identity(self) -> Mapping[str, str]:
        """As the other judge."""
        return self._judge.identity()

    async def judge(self, task: Task) -> Verdict:
        """Judge one task as the other judge would with a wrong reference."""
        return await self._judge.judge(misled(task))


def misled(task: Task) -> Task:
    """The task with each reference replaced by the answer of the first candidate that contradicts it, or left out."""
    resources = []
    for resource in task.resources:
        if resource.kind is not ResourceKind.REFERENCE:
            resources.append(resource)
        elif wrong := _contradicting(task, resource):
            resources.append(replace(resource, content=wrong))
    return replace(task, resources=tuple(resources))


def _contradicting(task: Task, reference: Resource) -> str:
    checks = (match_reference(candidate.text, reference.content) for candidate in task.candidates)
    return next((check.found for check in checks if check.decision is Decision.VIOLATED and check.found), "")
