"""The Skill-RM reward of one answer: satisfied / total over the ledger of a skill, and the caps of its aggregation.

The released reward takes a number that the model names, checks it against nothing, and turns every failure into 0.5.
Here the share is counted from the evidence, the caps are enforced in code, and a judge that fails gives no reward.
Evidence that is unsupported or unsure counts for nothing. The ledger may come from several judges, such as verifiers
that decide what a program can decide and a model that reads the rest.

A cap is the most that an answer with a certain fault can get. The faults are those of the aggregation notes of
`skills/instruction-following`; a violated criterion is told to be one of them by the kind of its constraint, where it
is one of the prompt's checklist, and by its words otherwise.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rewardlab.judges.protocol import Judge
from rewardlab.policy.methods.judged import rating_task
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout
from rewardlab.task import ResourceKind
from rewardlab.verdict import Decision, Evidence, Status, Usage
from rewardlab.verifiers.constraints import KINDS, describe


class Cap(NamedTuple):
    """The most that an answer with a fault can get.

    Attributes:
        fault: What is wrong.
        ceiling: The most.
        words: What a criterion says that is about this fault.
        kinds: Kinds of constraints whose violation is this fault.
    """

    fault: str
    ceiling: float
    words: re.Pattern[str]
    kinds: tuple[str, ...] = ()


def _cap(fault: str, ceiling: float, words: str, *kinds: str) -> Cap:
    return Cap(fault, ceiling, re.compile(words, re.IGNORECASE), kinds)


CAPS: tuple[Cap, ...] = (
    _cap("wrong task", 0.25, r"\b(another|other|wrong|right|same) task\b"),
    _cap("refusal", 0.25, r"\brefus"),
    _cap("missing part", 0.50, r"\b(required|missing) (part|section|deliverable)"),
    _cap("broken form", 0.55, r"\bprescribed form\b|\bpars(e|es|able)\b", "detectable_format:json_format"),
    _cap("polluted exact output", 0.60, r"\bnothing else\b|\bexact output\b|\bsurround", "startend:quotation"),
    _cap("wrong language", 0.65, r"\b(required|wrong|right) language\b", "language:response_language"),
)
SEVERAL_MAJOR = 0.60  # two or more violated criteria of full weight
_EMPTY = 0.50  # an answer without any text lacks what was to be delivered


class Skill(RewardMethod):
    """Reward from the evidence of a skill.

    Args:
        judges: Whose ledgers are counted, in this order; one that a prompt gives nothing to go by is passed over.
        name: Name in tables.
        major: Violated criteria of at least this weight are major ones.
    """

    def __init__(self, judges: Sequence[Judge], name: str = "skill", major: float = 1.0) -> None:
        self.name = name
        self._judges = tuple(judges)
        self._major = major

    def identity(self) -> Mapping[str, str]:
        """Of the judges."""
        return {f"{judge.name}.{key}": value for judge in self._judges for key, value in judge.identity().items()}

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        """Satisfied / total, capped; no reward when a judge fails or nothing is decided."""
        verdicts = await asyncio.gather(*(j.judge(rating_task(prompt, rollout, j.setting)) for j in self._judges))
        usage = sum((verdict.usage for verdict in verdicts), Usage())
        ledger = tuple(entry for verdict in verdicts for entry in verdict.ledger)
        failed = [v for v in verdicts if v.status not in (Status.OK, Status.SKIPPED)]
        if failed:
            return Reward(None, failed[0].status, ledger=ledger, usage=usage, note=failed[0].note)
        share = satisfied_share(ledger)
        if share is None:
            return Reward(None, Status.UNPARSEABLE, ledger=ledger, usage=usage, note="no evidence decides anything")
        ceiling = min((cap for _, cap in caps(prompt, rollout, ledger, self._major)), default=1.0)
        return Reward(min(share, ceiling), ledger=ledger, usage=usage)


def satisfied_share(ledger: Sequence[Evidence]) -> float | None:
    """Share of decided criteria that are met, by weight; None when none is decided.

    >>> from rewardlab.verdict import Hardness
    >>> met = Evidence("a", "x", "", Decision.SATISFIED, Hardness.SOFT)
    >>> satisfied_share([met, Evidence("b", "x", "", Decision.UNSURE, Hardness.SOFT)])
    1.0
    """
    decided = [entry for entry in ledger if entry.supported and entry.decision is not Decision.UNSURE]
    total = sum(entry.weight for entry in decided)
    if not total:
        return None
    return sum(entry.weight for entry in decided if entry.decision is Decision.SATISFIED) / total


def caps(prompt: Prompt, rollout: Rollout, ledger: Sequence[Evidence], major: float) -> list[tuple[str, float]]:
    """The caps that apply to an answer: fault and ceiling.

    Args:
        prompt: Its checklist says of what kind a criterion is.
        rollout: The answer.
        ledger: The evidence.
        major: Least weight of a major criterion.
    """
    kinds = _kinds(prompt)
    violated = [entry for entry in ledger if entry.supported and entry.decision is Decision.VIOLATED]
    found = [] if rollout.text.strip() else [("missing part", _EMPTY)]
    for cap in CAPS:
        if any(kinds[e.criterion] in cap.kinds if e.criterion in kinds else cap.words.search(e.criterion)
               for e in violated):  # fmt: skip
            found.append((cap.fault, cap.ceiling))
    if sum(entry.weight >= major for entry in violated) >= 2:
        found.append(("several major violations", SEVERAL_MAJOR))
    return found


def _kinds(prompt: Prompt) -> dict[str, str]:
    """Criterion to kind, for the constraints of a prompt's checklist."""
    entries = [entry for checklist in prompt.of_kind(ResourceKind.CHECKLIST) for entry in json.loads(checklist.content)]
    return {describe(e): e["kind"] for e in entries if isinstance(e, dict) and e.get("kind") in KINDS}
