"""Ablations: every arm against the whole skill judge, with what it spends beside what it earns.

The table is made where the baseline is a judge that runs a skill: then every other arm is that judge with a part taken
away or exchanged, or a judge of another shape, and the tests of the comparison are the family of the ablations. Scores,
tests and costs are those of the other tables, put side by side; what an arm differs in is read off the run identities.
"""

from __future__ import annotations

from dataclasses import replace

from rewardlab.evaluation.finished import FinishedRun
from rewardlab.report.comparison import Arm, Comparison
from rewardlab.report.frame import Cell, Column, Frame
from rewardlab.report.tables.costs import costs
from rewardlab.report.tables.results import results

_JUDGE = "config.judge."
_UNLISTED = ("_target_", "_args_", "name")  # classes, the setting, which is said in words, and the name in tables


def ablation(comparison: Comparison) -> Frame | None:
    """Scores, differences and budgets of every arm; None where the baseline runs no skill."""
    if not comparison.has_baseline or not _runs_skill(comparison.run):
        return None
    scores, spent = results(comparison), costs(comparison)
    shown = [column.title for column in scores.columns[1:] if column.brief]
    frames = ((scores, shown), (spent, ["calls", "prompt (cached)", "completion", "wall s"]))
    picked = [(frame, _places(frame, titles)) for frame, titles in frames]
    columns = (
        Column("arm", "the judge", numeric=False),
        Column("what differs", f"from {comparison.baseline}", numeric=False),
        *(replace(frame.columns[i], brief=True) for frame, at in picked for i in at),
    )
    rows = tuple(
        (
            Cell(arm.label, trace=arm.run.trace),
            Cell(_differs(arm, comparison)),
            *(frame.rows[row][i] for frame, at in picked for i in at),
        )
        for row, arm in enumerate(comparison.arms)
    )
    caption = (
        f"{comparison.run.dataset}. Every arm against {comparison.baseline}, the whole judge; scores, Δ and tests as "
        "in the results, Holm over the ablations alone. Calls and tokens are means of a judgment; an arm that reads "
        "the rows of another run out again carries what those rows cost. Wall s: time of the whole run, shared out "
        f"over its judgments. {comparison.provenance}"
    )
    return Frame("ablation", "Ablations, with budgets", caption, columns, rows)


def _runs_skill(run: FinishedRun) -> bool:
    return f"{_JUDGE}package.pool" in run.identity and f"{_JUDGE}trigger" in run.identity


def _places(frame: Frame, titles: list[str]) -> list[int]:
    known = [column.title for column in frame.columns]
    return [known.index(title) for title in titles]


def _differs(arm: Arm, comparison: Comparison) -> str:
    """What of an arm's judge is not as in the baseline, in words of the config; of another kind of judge, its class."""
    ours, whole = arm.run.identity, comparison.run.identity
    if arm.run is comparison.run:
        return "the whole judge"
    kind = ours.get(f"{_JUDGE}_target_", "")
    setting = [] if arm.run.setting == comparison.run.setting else [f"setting {arm.run.setting}"]
    if kind != whole.get(f"{_JUDGE}_target_"):
        told = [f"{name} {ours[_JUDGE + name]}" for name in ("reasoning", "rule", "readout") if _JUDGE + name in ours]
        return ", ".join([f"judge {kind.rpartition('.')[2]}", *told, *setting])
    changed = [
        f"{field.rpartition('.')[2]} {value}"
        for field, value in sorted(ours.items())
        if field.startswith(_JUDGE) and value != whole.get(field) and not field.endswith(_UNLISTED)
    ]
    return ", ".join([*changed, *setting]) or "nothing of the judge"
