"""Judges that read nothing: the floor that every table shows.

Each follows one rule of form, not of content. Where such a row sits far from chance, the benchmark can be gamed by it,
and a judge's accuracy there has to be read against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from rewardlab.errors import UnknownName
from rewardlab.randomness import stream
from rewardlab.task import Candidate, Form, Setting, Task
from rewardlab.verdict import Status, Verdict

Rule = Callable[[Task, np.random.Generator], list[float]]

_REFUSAL = re.compile(
    r"\b(i['’]?m sorry|i am sorry|i apologi[sz]e|i can(?:no|['’])t|i won['’]t|i(?:['’]m| am) (?:unable|not able)"
    r"|as an ai)\b",
    re.IGNORECASE,
)


def _length(candidate: Candidate) -> float:
    return float(len(candidate.text) or sum(len(step) for step in candidate.steps))


def _refuses(candidate: Candidate) -> float:
    return float(bool(_REFUSAL.search(candidate.text[:300])))


RULES: Mapping[str, Rule] = {
    "first": lambda task, _: [float(-i) for i, _ in enumerate(task.candidates)],
    "last": lambda task, _: [float(i) for i, _ in enumerate(task.candidates)],
    "longest": lambda task, _: [_length(c) for c in task.candidates],
    "shortest": lambda task, _: [-_length(c) for c in task.candidates],
    "refusal": lambda task, _: [_refuses(c) for c in task.candidates],
    "random": lambda task, generator: list(generator.random(len(task.candidates))),
}


def name_of(rule: str) -> str:
    """The judge's name in tables: always_first, longest, ..."""
    return f"always_{rule}" if rule in ("first", "last") else rule


class ContentBlind:
    """Chooses by a rule of form. Equal candidates are told apart by a seeded draw, so that no rule hides "first".

    Args:
        rule: One of RULES.
        seed: Seed of the draws.

    Raises:
        UnknownName: When there is no such rule.
    """

    forms = frozenset({Form.RATE, Form.PAIR, Form.PICK})
    setting = Setting.STANDARD

    def __init__(self, rule: str, seed: int) -> None:
        if rule not in RULES:
            raise UnknownName("content-blind rule", rule, RULES)
        self.name = name_of(rule)
        self._rule = rule
        self._seed = seed

    def identity(self) -> Mapping[str, str]:
        """The rule is in the config; nothing else decides."""
        return {}

    async def judge(self, task: Task) -> Verdict:
        """Judge one task."""
        # The draw depends on the display order, so that "random" is random in both orders of a pair.
        generator = stream(self._seed, "content_blind", task.id, *(c.id for c in task.candidates))
        values = RULES[self._rule](task, generator)
        scores = {c.id: v for c, v in zip(task.candidates, values, strict=True)}
        if task.form is Form.RATE:
            return Verdict(Status.OK, scores=scores)
        order = generator.permutation(len(values))
        best = max(order, key=lambda i: values[i])
        return Verdict(Status.OK, choice=task.candidates[best].id, scores=scores)
