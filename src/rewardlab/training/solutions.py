"""Worked solutions with a first error at a known place, made from the worked solutions of `verifiable`.

A candidate of a problem is right, or it goes wrong in one of two ways. A *slip* is a wrong solution of `verifiable`
itself (a sign, an order of operations, a carry): its first error is the first step in which it departs from the right
one. A *planted* error changes the value of a chosen step of the right solution and carries it through everything that
follows; a share of these make a second, *lucky* error that restores the right answer, so that a right answer comes with
a wrong process. So gold step labels are exact, and the noise of any annotator can be measured.

Only families whose every step states one sum that a program can compute again are used. Steps after the first error
are consistent with it; nothing here says whether they are good steps, and training drops them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np

from rewardlab.benchmarks.verifiable import Example, Step, Style, examples
from rewardlab.benchmarks.verifiable.catalogue import families_of
from rewardlab.benchmarks.verifiable.working import carry_slips
from rewardlab.randomness import stream
from rewardlab.task import Message
from rewardlab.verifiers.working import working_steps

NO_ERROR = -1


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution in steps, and what is known about it.

    Attributes:
        problem: Names the problem; solutions of one problem are candidates beside each other.
        group: For numbers by group.
        question: Oldest message first.
        steps: Texts of the steps.
        first_error: Index of the first wrong step, -1 when all are right; None where nobody knows.
        answer: The final answer; "" where it is not told apart from the last step.
        answer_right: Whether it is right; None where nobody knows.
        estimates: For each step, the share of completions from there that reached the right answer; may be empty.
        judged: First wrong step according to a judge, -1 for none; None where no judge was asked.
        place: Where it comes from: file and row, or problem.
    """

    problem: str
    group: str
    question: tuple[Message, ...]
    steps: tuple[str, ...]
    first_error: int | None = None
    answer: str = ""
    answer_right: bool | None = None
    estimates: tuple[float, ...] = ()
    judged: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Mix:
    """Which candidates a problem gets.

    Attributes:
        candidates: How many.
        right: Share of right ones.
        slips: Share of slips among the wrong ones.
        lucky: Share of planted errors that are made good by a second one.
    """

    candidates: int = 8
    right: float = 0.4
    slips: float = 0.3
    lucky: float = 0.2


@dataclass(frozen=True, slots=True)
class Line:
    """One step "left = right" with its aim."""

    aim: str
    left: str
    right: str


def generate(split: str, problems_per_family: int, seed: int, mix: Mix, families: Sequence[str]) -> list[Solution]:
    """Candidates for problems of `verifiable`.

    Args:
        split: "train", "dev", "test" or "heldout".
        problems_per_family: Problems of each family.
        seed: Which problems, and which candidates; 0 to 99.
        mix: Which candidates.
        families: Names of families; those that the split does not have are passed over.
    """
    present = [family.name for family in families_of(split) if family.name in families]
    found: list[Solution] = []
    for example in examples(split, problems_per_family, seed, present):
        right = sums(example.draft.right[0].steps)
        if right and right[-1].right == example.draft.right[0].answer and len(right) > 1:
            found += _candidates(example, right, mix, stream(seed, "solutions", example.id))
    return found


def sums(steps: Sequence[Step]) -> tuple[Line, ...]:
    """The steps as lines; empty unless each is one sum that holds or could be checked.

    >>> sums([Step("Add", "2 + 3 = 5")])
    (Line(aim='Add', left='2 + 3', right='5'),)
    >>> sums([Step("Recall", "Tuesday is day 1")])
    ()
    """
    lines = []
    for step in steps:
        left, equals, right = step.claim.partition(" = ")
        if not equals or computed(left) is None or not _NUMBER.fullmatch(right):
            return ()
        lines.append(Line(step.aim, left, right))
    return tuple(lines)


def computed(left: str) -> Fraction | None:
    """What the left side of a step comes to; None when that is not surely arithmetic."""
    found = working_steps(f"{left} = 0")
    return found[0].computed if len(found) == 1 else None


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def planted(lines: Sequence[Line], at: int, wrong: str, restored_at: int | None = None) -> tuple[Line, ...] | None:
    """The solution with another value at one step, carried through to the end.

    Args:
        lines: A right solution.
        at: The step that goes wrong.
        wrong: The value it gets, written like the right one.
        restored_at: A later step that wrongly comes to its old value; None for none.

    Returns:
        As many lines; None when the error cannot be carried through: a later value has no such decimal, the step to
        be restored did not change, or it would hold with its old value.

    >>> [(line.left, line.right) for line in planted([Line("", "2 + 3", "5"), Line("", "5 - 1", "4")], 0, "6")]
    [('2 + 3', '6'), ('6 - 1', '5')]
    """
    changed = {lines[at].right: wrong}
    found = [*lines[:at], Line(lines[at].aim, lines[at].left, wrong)]
    for number, line in enumerate(lines[at + 1 :], at + 1):
        left = _NUMBERS.sub(partial(_put, changed), line.left)
        value = computed(left)
        right = None if value is None else _written(value, like=line.right)
        if right is None:
            return None
        if number == restored_at:
            if right == line.right:
                return None
            right, changed = line.right, {}
        elif right != line.right:
            changed = {**changed, line.right: right}
        found.append(Line(line.aim, left, right))
    return tuple(found)


_NUMBERS = re.compile(r"(?<![\w.])(?P<bare>-?\d+(?:\.\d+)?)(?![\w.])")


def _put(changed: Mapping[str, str], match: re.Match[str]) -> str:
    number = match["bare"]
    value = changed.get(number, number)
    first = not match.string[: match.start()].strip()
    bracketed = match.string[match.start() - 1 : match.start()] == "("
    return f"({value})" if value.startswith("-") and value != number and not first and not bracketed else value


def _written(value: Fraction, like: str) -> str | None:
    """A value with as many decimals as another number; None when it does not come out."""
    decimals = len(like.partition(".")[2])
    scaled = value * 10**decimals
    if scaled.denominator != 1:
        return None
    digits = str(abs(scaled.numerator)).rjust(decimals + 1, "0")
    sign = "-" if scaled < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


def _wrong_value(right: str, rng: np.random.Generator) -> str:
    decimals = len(right.partition(".")[2])
    near = carry_slips(int(right.replace(".", "")))
    value = _written(Fraction(int(near[int(rng.integers(len(near)))]), 10**decimals), right)
    assert value is not None
    return value


def _candidates(example: Example, right: Sequence[Line], mix: Mix, rng: np.random.Generator) -> Iterator[Solution]:
    slips = [lines for wrong in example.draft.wrong if (lines := sums(wrong.steps))]
    for _ in range(mix.candidates):
        style = (Style.CONCISE, Style.DETAILED)[int(rng.integers(2))]
        if rng.random() < mix.right:
            yield _solution(example, right, NO_ERROR, right, style)
        elif slips and rng.random() < mix.slips:
            lines = slips[int(rng.integers(len(slips)))]
            yield _solution(example, lines, departure(right, lines), right, style)
        else:
            wrong, at = _planted_somewhere(right, mix.lucky, rng)
            yield _solution(example, wrong, at, right, style)


def _planted_somewhere(right: Sequence[Line], lucky: float, rng: np.random.Generator) -> tuple[Sequence[Line], int]:
    """A planted error at a step drawn evenly; the last step takes any value, so there is always one."""
    for _ in range(50):
        at = int(rng.integers(len(right)))
        restored = len(right) - 1 if rng.random() < lucky and at < len(right) - 1 else None
        lines = planted(right, at, _wrong_value(right[at].right, rng), restored)
        if lines is not None and (restored is not None or lines[-1].right != right[-1].right):
            return lines, at
    last = len(right) - 1
    return [*right[:-1], Line(right[-1].aim, right[-1].left, _wrong_value(right[-1].right, rng))], last


def departure(right: Sequence[Line], other: Sequence[Line]) -> int:
    """Index of the first step in which a wrong solution departs from the right one."""
    same = (a == b for a, b in zip(right, other, strict=False))
    return next((i for i, equal in enumerate(same) if not equal), min(len(right), len(other)) - 1)


def _solution(
    example: Example, lines: Sequence[Line], first_error: int, right: Sequence[Line], style: Style
) -> Solution:
    aims = ["" if style is Style.CONCISE else f"{line.aim}: " for line in lines]
    said = [f"{aim}{line.left} = {line.right}." for aim, line in zip(aims, lines, strict=True)]
    said[-1] += f" Answer: {lines[-1].right}"
    return Solution(
        problem=example.id,
        group=example.family,
        question=(Message("user", example.draft.question),),
        steps=tuple(said),
        first_error=first_error,
        answer=lines[-1].right,
        answer_right=lines[-1].right == right[-1].right,
        place=example.id,
    )
