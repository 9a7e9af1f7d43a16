"""Writes worked solutions, and slips on purpose.

A solver is written once, for the right solution. Wherever a careful person could slip, it asks its `Working` to
`choose` or to `compute`, and the `Working` hands back the right value or, when told to slip there, a wrong one that
then carries through to the answer. So wrong solutions read like right ones: they come from the same lines of code.

`near_misses` picks two such places and writes the three wrong solutions with the first slip, the second, and both. With
the right one they form a square, so no candidate is more like the others than the right one is, and a vote over their
steps or answers tells nothing. Where the embedded model was seen to end the working with a wrong total (`sampling`),
that is the first slip, and the first wrong solution ends as the model's sample did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from rewardlab.benchmarks.verifiable.example import Solution, Step
from rewardlab.benchmarks.verifiable.styles import render

T = TypeVar("T")


class Implausible(Exception):
    """The slips led to a solution that nobody would write (a count below zero, a division that does not come out)."""


class Working:
    """One solution in the making.

    Args:
        slips: Number of the place (in the order in which the solver reaches them) to the number of the wrong way
            to take there.
        errors: Number of a place with a total to the only error that can be made there: a model's own.

    Attributes:
        steps: The steps so far.
        ways: For each place reached, how many wrong ways it has.
        totals: The places with a total, and the value without a slip there.
        taken: The kinds of the slips made.
    """

    def __init__(self, slips: Mapping[int, int] | None = None, errors: Mapping[int, int] | None = None) -> None:
        self._slips = dict(slips or {})
        self._errors = dict(errors or {})
        self.steps: list[Step] = []
        self.ways: list[int] = []
        self.totals: dict[int, int] = {}
        self.taken: list[str] = []

    def choose(self, kind: str, right: T, *wrong: T) -> T:
        """The right way, or a wrong one when told to slip at this place.

        Args:
            kind: Name of the slip ("sign").
            right: What a careful solver uses.
            wrong: What others might use; those equal to `right` do not count.
        """
        others = [w for w in wrong if w != right]
        way = self._slips.get(len(self.ways))
        self.ways.append(len(others))
        if way is None or way >= len(others):
            return right
        self.taken.append(kind)
        return others[way]

    def compute(self, aim: str, shown: str, value: int, near: tuple[int, ...] = (), python: str = "") -> int:
        """Write a computation down and return the value that the solution gives to it.

        Args:
            aim: What the step does.
            shown: The expression as it is written.
            value: Its value.
            near: Wrong values that a slip may give.
            python: The expression as Python, where `shown` is none.
        """
        return self._write(aim, shown, self.choose("calculation", value, *near), python)

    def total(self, aim: str, shown: str, value: int) -> int:
        """Write down a sum or difference, as `compute`: with slips of a carry, or the error of a model's sample."""
        place = len(self.ways)
        self.totals[place] = value
        if place in self._errors:
            return self._write(aim, shown, self.choose("sampled answer", value, value + self._errors[place]))
        return self.compute(aim, shown, value, carry_slips(value))

    def note(self, aim: str, claim: str, expression: str = "", value: str = "") -> None:
        """Write down a step whose value was chosen before."""
        self.steps.append(Step(aim, claim, expression, value))

    def _write(self, aim: str, shown: str, written: int, python: str = "") -> int:
        self.steps.append(Step(aim, f"{shown} = {written}", python or shown, str(written)))
        return written


Solver = Callable[[Working], str]


def carry_slips(value: int) -> tuple[int, ...]:
    """Wrong values of a sum or difference: a carry or borrow forgotten or made twice, or a column counted wrong.

    Every wrong value has its mirror image on the other side of the right one, so slips make numbers neither larger
    nor smaller on average, and none changes the sign.

    >>> carry_slips(47)
    (57, 37, 48, 46)
    >>> carry_slips(5)
    (6, 4)
    """
    sizes = [size for size in (100, 10, 1) if abs(value) > 3 * size][:2] or [1]
    return tuple(value + sign * size for size in sizes for sign in (1, -1))


def product_slips(left: int, right: int) -> tuple[int, ...]:
    """Wrong values of a product: one group too many or too few, or in a large product a carry of ten.

    Small products keep to other products, because a prime would be told at sight.

    >>> product_slips(7, 8)
    (63, 49, 64, 48)
    """
    value = left * right
    units = {abs(left), abs(right)} | ({10} if abs(value) > 1000 else set())
    return tuple(value + sign * unit for unit in sorted(units - {0}) for sign in (1, -1) if abs(value) > unit)


def near_misses(
    solver: Solver,
    is_right: Callable[[str], bool],
    rng: np.random.Generator,
    sampled: int | None = None,
    attempts: int = 40,
) -> tuple[Solution, tuple[Solution, ...]] | None:
    """A right solution and three wrong ones that differ from it by one slip, another slip, and both.

    Args:
        solver: Writes the solution into a `Working` and returns the answer.
        is_right: The verifier.
        rng: Chooses the slips.
        sampled: A wrong value that a model gave to the last step. Where that is a total, the first wrong solution ends
            with this value if any square of solutions can be had that way.
        attempts: How many pairs of slips to try.

    Returns:
        The right solution and the wrong ones, or None when the problem is degenerate or no pair of slips gives
        three distinct wrong answers.

    Raises:
        ValueError: When the verifier rejects the solution without slips: the solver is at fault.
    """
    careful = Working()
    try:
        right = _solution(solver, careful)
    except Implausible:
        return None
    if not is_right(right.answer):
        raise ValueError(f"the solver's answer {right.answer!r} fails the verifier")
    if sum(ways > 0 for ways in careful.ways) < 2:
        return None
    last = len(careful.ways) - 1
    error = {last: sampled - careful.totals[last]} if sampled is not None and last in careful.totals else {}
    for errors in [error] * attempts + [{}] * attempts if error else [{}] * attempts:
        a, b = _two_slips(careful.ways, errors, rng)
        try:
            wrong = tuple(_solution(solver, Working(dict(taken), errors)) for taken in ([a], [b], [a, b]))
        except Implausible:
            continue
        answers = {right.answer, *(w.answer for w in wrong)}
        if len(answers) == 4 and all(w.slips and not is_right(w.answer) for w in wrong):
            return right, wrong
    return None


def _two_slips(
    ways: Sequence[int], errors: Mapping[int, int], rng: np.random.Generator
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two places with one of their wrong ways each; a place with a model's error comes first."""
    places = [place for place, number in enumerate(ways) if number and place not in errors]
    drawn = rng.choice(places, size=2 - len(errors), replace=False)
    first, second = [(place, 0) for place in errors] + [(int(p), int(rng.integers(ways[p]))) for p in drawn]
    return first, second


def _solution(solver: Solver, working: Working) -> Solution:
    answer = solver(working)
    return Solution(answer, render(working.steps, answer), tuple(working.steps), tuple(working.taken))
