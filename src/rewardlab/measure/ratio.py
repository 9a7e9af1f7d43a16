"""A speed or a size against its reference, both from one run: the only kind of number that travels between machines.

A figure is an object with `measure()`, which gives a few ratios; configs/measure.yaml names the figures. To add one,
write one module here and one entry there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the table.

    Attributes:
        what: What was measured, in words.
        measured: How much.
        against: What it is held against, in words.
        reference: How much that is.
        unit: Of both.
        at_least: The ratio that is asked for; None where more is not asked.
        at_most: The ratio that must not be exceeded; None where there is no bound.
        raw: What the two numbers were made from, JSON-like.
    """

    what: str
    measured: float
    against: str
    reference: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Measured by reference."""
        return self.measured / self.reference

    @property
    def met(self) -> bool:
        """Whether the ratio is as it is asked for; True where nothing is asked."""
        low = self.at_least is None or self.ratio >= self.at_least
        return low and (self.at_most is None or self.ratio <= self.at_most)


class Figure(Protocol):
    """Something that can be measured."""

    def measure(self) -> Sequence[Ratio]:
        """Measure it now, on this machine.

        Raises:
            UserError: When something that is needed is missing.
        """
        ...
