"""Scores by group, marked exploratory."""

from __future__ import annotations

from rewardlab.report.comparison import LEVEL, Arm, Comparison
from rewardlab.report.frame import Cell, Column, Frame, decimal, empty, number
from rewardlab.report.groups import GroupScore, by_group

_MEANING = "strict score, and its difference to the baseline"


def groups(comparison: Comparison) -> Frame:
    """Strict score of every arm in every group; exploratory."""
    found, arms = by_group(comparison), comparison.arms
    cells = {
        (group, arm.label): _cell(scores.get(arm.label), arm) for group, scores in found.scores.items() for arm in arms
    }
    if len(arms) > len(found.n):  # the longer side stands upright, for a table as wide as its arms is read by nobody
        heads = [f"{group} % (n {n})" for group, n in found.n.items()]
        columns = (Column("arm", numeric=False), *(Column(head, _MEANING) for head in heads))
        rows = tuple((Cell(arm.label), *(cells[group, arm.label] for group in found.n)) for arm in arms)
    else:
        names = [Column(f"{arm.label} %", _MEANING) for arm in arms]
        columns = (Column("group", numeric=False), Column("n", "items"), *names)
        rows = tuple(
            (Cell(group), number(n, 0, trace=comparison.run.trace), *(cells[group, arm.label] for arm in arms))
            for group, n in found.n.items()
        )
    caption = f"{comparison.run.dataset}, exploratory: strict score in % by group."
    if comparison.has_baseline:
        caption += (
            f" In brackets the difference to {comparison.baseline}, in points. Bold: p < {LEVEL} after Holm over all "
            f"{found.family} tests of this table."
        )
    return Frame("groups", "Groups (exploratory)", caption, columns, rows)


def _cell(score: GroupScore | None, arm: Arm) -> Cell:
    if score is None:
        return empty("the arm judged nothing of the group", arm.run.trace)
    gap = "" if score.difference is None else f"({decimal(100 * score.difference, 1, sign=True)})"
    holds = score.adjusted is not None and score.adjusted < LEVEL
    return Cell(decimal(100 * score.value, 1), gap, trace=arm.run.trace, value=100 * score.value, bold=holds)
