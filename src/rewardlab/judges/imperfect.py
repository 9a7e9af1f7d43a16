"""Judges without a model that err in known ways: for experiments on what a judge's errors do to a policy that learns
from it.

They look at the prompt's constraints through a `Reader`, which misreads a fixed share of what it reads and takes counts
that are nearly right for right ones. Errors are drawn from criterion and text, so the same answer always meets the same
error, as with a model at temperature 0; a policy can learn them. Three protocols read with the same eyes: one rating of
the whole (`Impression`), a fixed list of general questions (`GeneralRubric`), and the prompt's own criteria one by one
(`PromptCriteria`).

These judges know more than a model would: they get all constraints in machine-readable form, in a resource of kind
metadata that `policy.tasks` makes for them alone. They are no benchmark's judges.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from rewardlab.errors import UnknownName
from rewardlab.judges.readout import as_verdict
from rewardlab.judges.verify import in_prose
from rewardlab.randomness import stream
from rewardlab.task import Form, ResourceKind, Setting, Task
from rewardlab.verdict import Decision, Evidence, Hardness, Status, Verdict
from rewardlab.verifiers import prose
from rewardlab.verifiers.constraints import Constraint, check, describe

CONSTRAINTS = "constraints"  # id of the resource that holds them all
_LONG = 60  # words from which on an answer looks no longer


class Reader:
    """How constraints are read.

    Args:
        misreads: Share of what it reads that it gets wrong.
        tolerance: A count that is off by no more than this passes for right.
        seed: Of its errors.
    """

    def __init__(self, misreads: float, tolerance: int = 0, seed: int = 0) -> None:
        self._misreads, self._tolerance, self._seed = misreads, tolerance, seed

    def follows(self, constraint: Constraint, text: str) -> bool:
        """Whether a text seems to follow a constraint, before any misreading."""
        widened = dict(constraint)
        if isinstance(least := widened.get("min"), int):
            widened["min"] = max(0, least - self._tolerance)
        if isinstance(most := widened.get("max"), int):
            widened["max"] = most + self._tolerance
        return check(widened, text).decision is Decision.SATISFIED

    def read(self, criterion: str, text: str, holds: bool) -> bool:
        """What it reads where `holds` is what there is to be read."""
        errs = stream(self._seed, "misread", criterion, text).random() < self._misreads
        return holds != errs


class _Imperfect:
    """What the three have in common."""

    forms = frozenset({Form.RATE})
    setting = Setting.RESOURCE

    def __init__(self, reader: Reader, name: str) -> None:
        self.name = name
        self._reader = reader

    def identity(self) -> Mapping[str, str]:
        """Nothing beside the config."""
        return {}


class Impression(_Imperfect):
    """One rating of the whole, in whole numbers of the scale: the share of constraints that seem to be followed, mixed
    with a liking for length.

    Args:
        reader: How it reads.
        length_bias: Weight of the length, from no words to sixty, in the rating.
        name: Name in tables.
    """

    def __init__(self, reader: Reader, length_bias: float = 0.0, name: str = "impression") -> None:
        super().__init__(reader, name)
        self._length_bias = length_bias

    async def judge(self, task: Task) -> Verdict:
        """Rate; SKIPPED where the prompt has no constraints."""
        (candidate,) = task.candidates
        constraints = _constraints(task)
        if not constraints:
            return _skipped()
        text = candidate.text
        met = [self._reader.read(describe(c), text, self._reader.follows(c, text)) for c in constraints]
        length = min(1.0, len(prose.words(text)) / _LONG)
        share = (1 - self._length_bias) * sum(met) / len(met) + self._length_bias * length
        low, high = task.contract.scale
        return Verdict(Status.OK, scores={candidate.id: float(round(low + (high - low) * share))})


class GeneralRubric(_Imperfect):
    """A fixed list of general questions, the same for every prompt, each read once; the weighted share of yes.

    Args:
        reader: How it reads.
        criteria: Questions among GENERAL, with their weights.
        name: Name in tables.

    Raises:
        UnknownName: When there is no such question.
    """

    def __init__(self, reader: Reader, criteria: Mapping[str, float], name: str = "general_rubric") -> None:
        super().__init__(reader, name)
        for criterion in criteria:
            if criterion not in GENERAL:
                raise UnknownName("general criterion", criterion, GENERAL)
        self._criteria = {str(criterion): float(weight) for criterion, weight in criteria.items()}

    async def judge(self, task: Task) -> Verdict:
        """Rate; SKIPPED where the prompt has no constraints."""
        (candidate,) = task.candidates
        constraints = _constraints(task)
        if not constraints:
            return _skipped()
        followed = [self._reader.follows(c, candidate.text) for c in constraints]
        met = {
            criterion: self._reader.read(criterion, candidate.text, GENERAL[criterion](candidate.text, followed))
            for criterion in self._criteria
        }
        ledger = [_evidence(criterion, candidate.id, met[criterion], w) for criterion, w in self._criteria.items()]
        share = sum(w for criterion, w in self._criteria.items() if met[criterion]) / sum(self._criteria.values())
        return as_verdict(task, {candidate.id: share}, ledger, "rubric_share")


class PromptCriteria(_Imperfect):
    """The prompt's own criteria that no program is bound to, read one by one; its ledger is what counts.

    Args:
        reader: How it reads.
        name: Name in tables.
    """

    def __init__(self, reader: Reader, name: str = "prompt_criteria") -> None:
        super().__init__(reader, name)

    async def judge(self, task: Task) -> Verdict:
        """Read; SKIPPED where every criterion has a program."""
        (candidate,) = task.candidates
        unbound = set(in_prose(task))
        read = [
            (describe(c), self._reader.read(describe(c), candidate.text, self._reader.follows(c, candidate.text)))
            for c in _constraints(task)
            if describe(c) in unbound
        ]
        if not read:
            return _skipped()
        ledger = [_evidence(criterion, candidate.id, met, 1.0) for criterion, met in read]
        return as_verdict(task, {candidate.id: sum(met for _, met in read) / len(read)}, ledger, "rubric_share")


def _every(text: str, followed: Sequence[bool]) -> bool:
    return all(followed)


def _most(text: str, followed: Sequence[bool]) -> bool:
    return sum(followed) > len(followed) / 2


def _whole(text: str, followed: Sequence[bool]) -> bool:
    return text.rstrip().endswith((".", "!", "?"))


def _varied(text: str, followed: Sequence[bool]) -> bool:
    said = [sentence.casefold() for sentence in prose.sentences(text)]
    return bool(said) and len(set(said)) == len(said)


GENERAL: Mapping[str, Callable[[str, Sequence[bool]], bool]] = {
    "It follows every instruction.": _every,
    "It follows most of the instructions.": _most,
    "Its last sentence is complete.": _whole,
    "It says nothing twice.": _varied,
}
"""General questions, and what there is to be read: from the text, and for each constraint whether it seems followed."""


def _constraints(task: Task) -> list[Constraint]:
    found: list[Constraint] = [
        constraint
        for resource in task.resources
        if resource.kind is ResourceKind.METADATA and resource.id == CONSTRAINTS
        for constraint in json.loads(resource.content)
    ]
    return found


def _evidence(criterion: str, candidate: str, met: bool, weight: float) -> Evidence:
    decision = Decision.SATISFIED if met else Decision.VIOLATED
    return Evidence(criterion, candidate, "", decision, Hardness.SOFT, weight, source="a reading")


def _skipped() -> Verdict:
    return Verdict(Status.SKIPPED, note="the prompt has no criteria for this judge")
