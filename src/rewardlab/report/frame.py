"""A table before it has a format: columns, rows of cells, a caption.

Every table is built once as a `Frame`, and Markdown, LaTeX and HTML are written from that. A cell is text with three
things that travel with it: why it is empty or needs care (`note`), which run it comes from (`trace`), and the number
behind it for sorting. What is undefined is an en dash with a note, never 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewardlab.stats import Interval

DASH = "–"
MINUS = "−"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: What it shows.
        small: What stands after it in smaller type, e.g. an interval.
        note: A footnote, e.g. why the cell is empty; "" for none.
        trace: Run id and commit that the number comes from; "" where it comes from no run.
        value: The number behind the text, for sorting; None sorts last.
        bold: Whether it stands out. Reserved for differences that survive Holm's correction.
    """

    text: str
    small: str = ""
    note: str = ""
    trace: str = ""
    value: float | None = None
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        title: Heading.
        meaning: What it holds, in a sentence; shown as a tooltip.
        brief: Whether the terminal and the paper show it; the page shows all.
        numeric: Whether it is set to the right.
    """

    title: str
    meaning: str = ""
    brief: bool = True
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """A table.

    Attributes:
        name: For file names and anchors.
        title: Heading.
        caption: How each number is averaged, and what all rows share.
        columns: Left to right.
        rows: Each as long as `columns`.

    Raises:
        ValueError: When a row has another length than there are columns.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.name}: a row of {len(row)} cells under {len(self.columns)} columns")

    def brief(self) -> Frame:
        """The same table with its brief columns only."""
        kept = [i for i, column in enumerate(self.columns) if column.brief]
        return Frame(
            self.name,
            self.title,
            self.caption,
            tuple(self.columns[i] for i in kept),
            tuple(tuple(row[i] for i in kept) for row in self.rows),
        )

    def notes(self) -> dict[str, str]:
        """Footnote text to its letter, in reading order; notes of columns that are not brief come last.

        >>> rows = ((Cell("–", note="no calls"), Cell("–", note="no calls")),)
        >>> Frame("t", "T", "", (Column("x"), Column("y")), rows).notes()
        {'no calls': 'a'}
        """
        found = [(not c.brief, cell.note) for row in self.rows for c, cell in zip(self.columns, row, strict=True)]
        distinct = dict.fromkeys(note for _, note in sorted(found, key=lambda pair: pair[0]) if note)
        return dict(zip(distinct, _letters(), strict=False))


def _letters() -> Iterator[str]:
    """a, b, ..., z, aa, ab, ..."""
    number = 0
    while True:
        number += 1
        letters, rest = "", number
        while rest:
            rest, digit = divmod(rest - 1, 26)
            letters = chr(ord("a") + digit) + letters
        yield letters


def empty(reason: str, trace: str = "") -> Cell:
    """A cell without a number, and why."""
    return Cell(DASH, note=reason, trace=trace)


def number(value: float | None, digits: int = 1, sign: bool = False, reason: str = "", trace: str = "") -> Cell:
    """A number with a fixed count of decimals and a real minus sign.

    >>> number(-0.04).text, number(-3.26, sign=True).text, number(None, reason="no calls").text
    ('0.0', '−3.3', '–')
    """
    if value is None:
        return empty(reason, trace)
    return Cell(decimal(value, digits, sign), trace=trace, value=value)


def percent(share: float | None, sign: bool = False, reason: str = "", trace: str = "") -> Cell:
    """A share as a percentage with one decimal; the heading says %."""
    return number(None if share is None else 100 * share, 1, sign, reason, trace)


def with_interval(interval: Interval, sign: bool = False, note: str = "", trace: str = "") -> Cell:
    """A share with its interval, in percent or points; what is undefined says why.

    >>> with_interval(Interval(0.5, 0.25, 0.75, 9, 9)).small
    '[25.0, 75.0]'
    """
    if interval.point is None:
        return empty(interval.reason, trace)
    point = 100 * interval.point
    text = decimal(point, 1, sign)
    if interval.low is None or interval.high is None:
        notes = "; ".join(part for part in (note, f"no interval: {interval.reason}") if part)
        return Cell(text, f"[{DASH}]", notes, trace, point)
    ends = ", ".join(decimal(100 * end, 1, sign) for end in (interval.low, interval.high))
    return Cell(text, f"[{ends}]", note, trace, point)


def p_value(p: float | None, reason: str = "", trace: str = "", holds: bool | None = None) -> Cell:
    """A p-value with three decimals; None says why.

    Args:
        p: The p-value.
        reason: Why there is none.
        trace: Where it comes from.
        holds: Whether the difference survives its family: bold if so, "n.s." if not, neither for None.
    """
    if p is None:
        return empty(reason, trace)
    small = "n.s." if holds is False else ""
    return Cell("<0.001" if p < 0.001 else decimal(p, 3), small, trace=trace, value=p, bold=bool(holds))


def decimal(value: float, digits: int, sign: bool = False) -> str:
    """Text of a number; what rounds to 0 has no sign."""
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", MINUS)
