"""The self-check of the sandboxes as a table: a row an attack, a column a sandbox."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rewardlab.report.frame import Cell, Column, Frame
from rewardlab.report.markdown import to_markdown
from rewardlab.sandbox.selfcheck import CheckResult, Examined


def table(examined: Sequence[Examined]) -> str:
    """Markdown of every attack on every sandbox, with how many were contained and what a harmless call takes."""
    shown = [sandbox for sandbox in examined if not sandbox.unavailable]
    attacks = list(dict.fromkeys(result.name for sandbox in shown for result in sandbox.results))
    columns = (
        Column("attack", numeric=False),
        *(Column(f"{s.sandbox}{suffix}", numeric=bool(suffix)) for s in shown for suffix in ("", " s")),
    )
    rows = []
    for attack in attacks:
        of_attack = [next(result for result in s.results if result.name == attack) for s in shown]
        texts = [(_ending(result), f"{result.seconds:.2f}") for result in of_attack]
        rows.append((Cell(attack), *(Cell(text) for pair in texts for text in pair)))
    caption = " ".join(map(_sentence, examined))
    return to_markdown(Frame("sandboxes", "Self-check of the sandboxes", caption, columns, tuple(rows)), 2)


def _ending(result: CheckResult) -> str:
    """How an attack ended: of one that was contained the kind of error, without paths and numbers of this machine."""
    return re.split(r"[:;.]", result.detail)[0] if result.contained else f"BREACH: {result.detail}"


def _sentence(examined: Examined) -> str:
    if examined.unavailable:
        return f"{examined.sandbox} was not examined: {examined.unavailable}."
    contained = sum(result.contained for result in examined.results)
    return (
        f"{examined.sandbox} contains {contained} of {len(examined.results)} attacks; a harmless call takes "
        f"{1000 * examined.median_seconds:.2f} ms in the median."
    )
