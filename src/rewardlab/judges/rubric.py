"""The static rubric judge: a fixed checklist, asked of every candidate alone, added up in code.

The criteria and their weights are the same for every task; or they are those of the task's own checklist that no
program is bound to, and weigh alike. Each is asked by itself, or all in one reply; either way the answer is met or not
met, and a candidate's score is the weighted share of met criteria. A model that gives log-probabilities is asked for
the probability of "Y", which counts in place of 0 or 1. No candidate is seen beside another one, so rating, preference
and choice are readings of the same scores and place cannot matter. Candidates with equal scores are level: a tie where
the contract allows one, else no verdict. A checklist with one unusable answer is no checklist: it is never filled up.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from rewardlab.errors import ModelError, UserError
from rewardlab.judges import render
from rewardlab.judges.direct import Asked, Read, ask, label_shares, messages_event
from rewardlab.judges.parse import Menu, parse_verdict, visible
from rewardlab.judges.readout import as_verdict
from rewardlab.judges.verify import in_prose
from rewardlab.models.protocol import Generator, Sampling
from rewardlab.task import Candidate, Form, Message, Setting, Task
from rewardlab.verdict import Decision, Event, Evidence, Hardness, Source, Status, Usage, Verdict

MET, NOT_MET = "Y", "N"
ONE = f"the letter {MET} if it does or {NOT_MET} if it does not"
ALL = f"one line a criterion: its number, a colon, and {MET} if the candidate meets it or {NOT_MET} if it does not"

_LINE = re.compile(
    r"^[\s*_`#>(\[-]*(?:criterion\s+)?(?P<number>\d+)[\s*_`)\]]*[.:)=-][\s*_`(\[]*"
    r"(?P<answer>not\s+met|met|yes|no|y|n)[\s*_`)\]]*(?=$|[.,;:(–—-])",
    re.IGNORECASE | re.MULTILINE,
)

Met = tuple[float, ...]  # by criterion: 1 for met, 0 for not met, or the probability of met


class Rubric:
    """Judges by a fixed checklist.

    Args:
        generator: The model.
        criteria: Criterion to its weight, > 0; None for the task's own.
        name: Name in tables.
        together: Ask for all criteria in one reply; else one question a criterion.
        reasoning: Let the model reason in text before it answers.
        read: As of `Direct`, where criteria are asked one by one; a whole checklist is always read from text.
        repairs: How often an unusable text answer is asked for again.
        sampling: How to decode text answers.

    Raises:
        UserError: When the criteria are empty, a weight is not positive, or labels are asked for where there are none.
    """

    forms = frozenset({Form.RATE, Form.PAIR, Form.PICK})

    def __init__(
        self,
        generator: Generator,
        criteria: Mapping[str, float] | None,
        name: str = "rubric",
        together: bool = False,
        reasoning: bool = False,
        read: Read = "auto",
        repairs: int = 1,
        sampling: Sampling = Sampling(),
    ) -> None:
        if criteria is not None and (not criteria or min(criteria.values()) <= 0):
            raise UserError(f"judge {name} needs criteria with weights above 0; set judge.criteria")
        can_label = generator.can_score and not reasoning and not together
        if read == "labels" and not can_label:
            needs = "a model with log-probabilities, reasoning=false and together=false"
            raise UserError(f"judge {name}: read=labels needs {needs}; or set judge.read=text")
        self.name = name
        self._generator = generator
        self.setting = Setting.RESOURCE if criteria is None else Setting.STANDARD
        self._fixed = None if criteria is None else {str(name): float(weight) for name, weight in criteria.items()}
        self._together = together
        reasoned = "rubric_reasoned" if together else "answer_reasoned"
        self._closing = reasoned if reasoning else "answer_at_once"
        self._labels = can_label and read != "text"
        self._repairs = repairs
        self._sampling = sampling

    def identity(self) -> Mapping[str, str]:
        """Hash of the prompts."""
        asked = "rubric_checklist" if self._together else "rubric_criterion"
        return {"prompts": render.fingerprint("system", "task", "repair", self._closing, asked)}

    async def judge(self, task: Task) -> Verdict:
        """Judge one task; all candidates and criteria are asked at the same time. SKIPPED without any criterion."""
        criteria = dict.fromkeys(in_prose(task), 1.0) if self._fixed is None else self._fixed
        if not criteria:
            return Verdict(Status.SKIPPED, note="the task's checklist has no criteria in prose")
        checked = await asyncio.gather(*(self._check(task, candidate, criteria) for candidate in task.candidates))
        usage = sum((found.usage for found in checked), Usage())
        trace = tuple(event for found in checked for event in found.trace)
        source = Source.REPAIR if any(found.source is Source.REPAIR for found in checked) else Source.OWN
        for found in checked:
            if found.answer is None:
                return Verdict(found.status, usage=usage, trace=trace, source=source, note=found.note)
        by_candidate = {c.id: found.answer or () for c, found in zip(task.candidates, checked, strict=True)}
        scores = {c: _share(met, criteria) for c, met in by_candidate.items()}
        verdict = as_verdict(task, scores, _ledger(by_candidate, criteria), "rubric_share")
        return replace(verdict, usage=usage, trace=trace, source=source)

    async def _check(self, task: Task, candidate: Candidate, criteria: Mapping[str, float]) -> Asked[Met]:
        alone = replace(task, form=Form.RATE, candidates=(candidate,), resources=())
        if self._together:
            listed = "\n".join(f"{number}. {criterion}" for number, criterion in enumerate(criteria, 1))
            menu = render.fill(self._closing, {"options": ALL})
            messages = self._prompt("rubric_checklist", alone, {"criteria": listed, "menu": menu})
            read = partial(read_checklist, criteria=len(criteria))
            return await ask(self._generator, messages, self._sampling, self._repairs, read, ALL)
        one_by_one = await asyncio.gather(*(self._ask_one(alone, criterion) for criterion in criteria))
        return _joined(one_by_one)

    async def _ask_one(self, alone: Task, criterion: str) -> Asked[float]:
        menu = render.fill(self._closing, {"options": ONE})
        messages = self._prompt("rubric_criterion", alone, {"criterion": criterion, "menu": menu})
        if not self._labels:
            return await ask(self._generator, messages, self._sampling, self._repairs, _read_one, ONE)
        try:
            scored = await self._generator.score(messages, [MET, NOT_MET])
        except ModelError as error:
            return Asked(error.status, None, str(error), error.usage, (), Source.OWN)
        shares = label_shares([MET, NOT_MET], scored.logprobs)
        trace = (messages_event(messages), Event("labels", {"shares": shares}))
        return Asked(Status.OK, shares[MET], "", scored.usage, trace, Source.OWN)

    def _prompt(self, name: str, alone: Task, fields: Mapping[str, str]) -> list[Message]:
        user = render.fill(name, {"task": render.task_text(alone), **fields})
        return [Message("system", render.template("system")), Message("user", user)]


def _share(met: Met, criteria: Mapping[str, float]) -> float:
    weights = criteria.values()
    return sum(w * m for w, m in zip(weights, met, strict=True)) / sum(weights)


def _ledger(by_candidate: Mapping[str, Met], criteria: Mapping[str, float]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(criterion, c, f"{m:.3f}", _decision(m), Hardness.SOFT, weight, source="the model's reply")
        for c, met in by_candidate.items()
        for (criterion, weight), m in zip(criteria.items(), met, strict=True)
    )


def read_checklist(text: str, finish_reason: str, criteria: int) -> tuple[Status, Met | None, str]:
    """Read a reply to a whole checklist.

    Args:
        text: The reply.
        finish_reason: As of `parse_verdict`.
        criteria: How many criteria were asked.

    Returns:
        Status, met (1.0) or not (0.0) by criterion, and a note. The last answer to a criterion binds; a reply that
        leaves one out, or answers one that was not asked, is unusable as a whole.

    >>> read_checklist("1: Y" + chr(10) + "2. not met, it stops early", "stop", 2)[1]
    (1.0, 0.0)
    >>> read_checklist("1: Y", "stop", 2)[2]
    'no answer to criterion 2'
    """
    if finish_reason == "content_filter":
        return Status.REFUSED, None, "withheld by the server's content filter"
    if finish_reason == "length":
        return Status.TRUNCATED, None, "cut at the token limit"
    lines = _LINE.finditer(visible(text) or "")
    found = {int(line["number"]): float(line["answer"].lower() in ("y", "yes", "met")) for line in lines}
    for number in range(1, criteria + 1):
        if number not in found:
            return Status.UNPARSEABLE, None, f"no answer to criterion {number}"
    if len(found) > criteria:
        return Status.UNPARSEABLE, None, "an answer to a criterion that was not asked"
    return Status.OK, tuple(found[number] for number in range(1, criteria + 1)), ""


def _read_one(text: str, finish_reason: str) -> tuple[Status, float | None, str]:
    status, answer, note = parse_verdict(text, finish_reason, Menu(labels=(MET, NOT_MET)))
    return status, None if answer is None else float(answer == MET), note


def _joined(asked: Sequence[Asked[float]]) -> Asked[Met]:
    """The answers to single criteria as one checklist; the first failure stands for it."""
    usage = sum((one.usage for one in asked), Usage())
    trace = tuple(event for one in asked for event in one.trace)
    source = Source.REPAIR if any(one.source is Source.REPAIR for one in asked) else Source.OWN
    failed = next((one for one in asked if one.answer is None), None)
    if failed:
        return Asked(failed.status, None, failed.note, usage, trace, source)
    return Asked(Status.OK, tuple(one.answer or 0.0 for one in asked), "", usage, trace, source)


def _decision(met: float) -> Decision:
    if met == 0.5:
        return Decision.UNSURE
    return Decision.SATISFIED if met > 0.5 else Decision.VIOLATED
