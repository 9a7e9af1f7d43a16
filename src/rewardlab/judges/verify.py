"""The verifiers behind runnable resources: each looks at every candidate and finds hard evidence.

A verifier reads only what the task holds: its candidates, and the sample's reference, checklist or tests where the
setting shows them. What it cannot settle is UNSURE, which no readout counts for or against a candidate. Code is run in
a sandbox with full CPython; where that is missing, the verifier is unavailable and says what to install.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from rewardlab.sandbox.protocol import Sandbox
from rewardlab.task import Candidate, ResourceKind, Task
from rewardlab.verdict import Evidence, Hardness
from rewardlab.verifiers import constraints
from rewardlab.verifiers.check import Check
from rewardlab.verifiers.code import check_code, extract_code
from rewardlab.verifiers.functions import check_function
from rewardlab.verifiers.reference import match_reference
from rewardlab.verifiers.working import check_working

FUNCTION = "function"
"""Kind of a checklist entry with `criterion` and the `source` of a function that decides it."""


class Verifiers:
    """Runs verifiers by name.

    Args:
        tests_sandbox: Where candidate programs meet the task's tests, and where checkers of a data set run.
        function_seconds: Time limit of one such checker.
    """

    def __init__(self, tests_sandbox: Sandbox, function_seconds: float = 5.0) -> None:
        self._tests_sandbox = tests_sandbox
        self._function_seconds = function_seconds

    def unavailable(self) -> Mapping[str, str]:
        """Verifier name to the reason why it cannot run on this machine."""
        return self._unavailable

    @cached_property
    def _unavailable(self) -> dict[str, str]:
        reason = self._tests_sandbox.available()
        return {"tests": reason, "functions": reason} if reason else {}

    async def run(self, name: str, task: Task, source: str) -> list[Evidence]:
        """Run one verifier on every candidate.

        Args:
            name: "reference", "constraints", "functions", "tests" or "arithmetic".
            task: The task.
            source: What the evidence cites, e.g. "call 2".

        Returns:
            Hard evidence, candidate by candidate.
        """
        found: list[Evidence] = []
        for candidate in task.candidates:
            for criterion, check in (await self._checks(name, task, candidate)).items():
                found.append(
                    Evidence(criterion, candidate.id, check.observation, check.decision, Hardness.HARD, source=source)
                )
        return found

    async def run_own_tests(self, tests: str, task: Task, source: str) -> list[Evidence]:
        """Run tests that a judge wrote on the program of every candidate.

        Args:
            tests: Python source; see `rewardlab.verifiers.code`.
            task: The task.
            source: What the evidence cites.

        Returns:
            Soft evidence, candidate by candidate: the run is exact, but what it demands is the judge's own reading.
        """
        return [
            Evidence("tests of the judge", c.id, check.observation, check.decision, Hardness.SOFT, source=source)
            for c in task.candidates
            for check in [await check_code(extract_code(c.text), tests, self._tests_sandbox)]
        ]

    async def _checks(self, name: str, task: Task, candidate: Candidate) -> dict[str, Check]:
        match name:
            case "reference":
                reference = _content(task, ResourceKind.REFERENCE)
                # In a thread: comparing two expressions symbolically can take seconds.
                return {"final answer": await asyncio.to_thread(match_reference, candidate.text, reference)}
            case "constraints":
                rules = _checkable(_content(task, ResourceKind.CHECKLIST))
                return {constraints.describe(rule): constraints.check(rule, candidate.text) for rule in rules}
            case "functions":
                return await self._functions(task, candidate)
            case "tests":
                program, tests = extract_code(candidate.text), _content(task, ResourceKind.TESTS)
                return {"tests": await check_code(program, tests, self._tests_sandbox)}
            case _:
                return {"working": check_working(candidate.text)}

    async def _functions(self, task: Task, candidate: Candidate) -> dict[str, Check]:
        bound = _entries(_content(task, ResourceKind.CHECKLIST), FUNCTION)
        asked, box, seconds = task.question[-1].content, self._tests_sandbox, self._function_seconds
        checks = await asyncio.gather(
            *(check_function(entry["source"], asked, candidate.text, box, seconds) for entry in bound)
        )
        return {entry["criterion"]: check for entry, check in zip(bound, checks, strict=True)}


def in_prose(task: Task) -> list[str]:
    """The criteria of a task's checklist that no program is bound to: its entries that are sentences."""
    lists = [_listed(r.content) for r in task.resources if r.kind is ResourceKind.CHECKLIST]
    return [entry for listed in lists for entry in listed if isinstance(entry, str)]


def _content(task: Task, kind: ResourceKind) -> str:
    return next(resource.content for resource in task.resources if resource.kind is kind)


def _checkable(checklist: str) -> Sequence[constraints.Constraint]:
    """The entries of a checklist that a constraint's check decides; entries in prose are for the model to read."""
    return _entries(checklist, *constraints.KINDS)


def _entries(checklist: str, *kinds: str) -> list[dict[str, Any]]:
    """The entries of a checklist that are of some kinds."""
    return [entry for entry in _listed(checklist) if isinstance(entry, dict) and entry.get("kind") in kinds]


def _listed(checklist: str) -> list[Any]:
    try:
        entries = json.loads(checklist)
    except ValueError:
        return []
    return entries if isinstance(entries, list) else []
