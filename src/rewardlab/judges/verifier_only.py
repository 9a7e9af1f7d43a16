"""Verifiers without a model and without a skill: the control that says how far the sample's resources go alone.

Every verifier whose resource the sample has is run on every candidate, and the readout decides. A sample with no such
resource is SKIPPED; one whose candidates the evidence leaves level is a tie where the contract allows one, and else has
no verdict. With the name of one verifier it is that verifier's own arm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardlab.judges.readout import as_verdict, lexicographic
from rewardlab.judges.verify import Verifiers
from rewardlab.task import Form, ResourceKind, Setting, Task
from rewardlab.verdict import Evidence, Status, Verdict

NEEDS: Mapping[str, ResourceKind | None] = {
    "reference": ResourceKind.REFERENCE,
    "constraints": ResourceKind.CHECKLIST,
    "functions": ResourceKind.CHECKLIST,
    "tests": ResourceKind.TESTS,
    "arithmetic": None,
}


class VerifierOnly:
    """Judges by verifiers alone.

    Args:
        verifiers: What runs them.
        names: Which of them, in order.
        name: Name in tables.
    """

    forms = frozenset({Form.RATE, Form.PAIR, Form.PICK})
    setting = Setting.RESOURCE

    def __init__(self, verifiers: Verifiers, names: Sequence[str], name: str = "verifier_only") -> None:
        self.name = name
        self._verifiers = verifiers
        self._names = tuple(names)

    def identity(self) -> Mapping[str, str]:
        """What cannot run on this machine."""
        return {"unavailable": ",".join(sorted(self._verifiers.unavailable()))}

    async def judge(self, task: Task) -> Verdict:
        """Judge one task."""
        present = {resource.kind for resource in task.resources}
        ledger: list[Evidence] = []
        for name in self._names:
            need = NEEDS[name]
            if name not in self._verifiers.unavailable() and (need is None or need in present):
                ledger += await self._verifiers.run(name, task, name)
        if not ledger:
            return Verdict(Status.SKIPPED, note="the sample has no resource for these verifiers")
        scores = lexicographic(ledger, [c.id for c in task.candidates], {})
        return as_verdict(task, scores, ledger, "lexicographic")
