"""Ablations: every arm against the whole skill judge, with what it spends beside what it earns.

The whole judge is the arm whose pool of resources other arms have parts of. Against it every other arm is that judge
with a part taken away or exchanged, or a judge of another shape. These tests are a family of their own, beside that of
the results, whose baseline may be another arm. What an arm differs in is read off the run identities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rewardlab.report.comparison import Arm, Comparison, compare
from rewardlab.report.frame import Cell, Column, Frame
from rewardlab.report.tables.costs import costs
from rewardlab.report.tables.results import results
from rewardlab.skills.pool import FULL

_JUDGE = "config.judge."
_POOL = f"{_JUDGE}package.pool"
_UNLISTED = ("_target_", "_args_", "name")  # classes, the setting, which is said in words, and the name in tables


def ablation(comparison: Comparison) -> Frame | None:
    """Scores, differences and budgets of every arm; None where no arm has a part of another one's pool."""
    whole = _whole(comparison)
    if whole is None:
        return None
    (ablated,) = compare([arm.run for arm in comparison.arms], whole.label)
    scores, spent = results(ablated), costs(ablated)
    shown = [column.title for column in scores.columns[1:] if column.brief]
    frames = ((scores, shown), (spent, ["calls", "prompt (cached)", "completion", "wall s"]))
    picked = [(frame, _places(frame, titles)) for frame, titles in frames]
    columns = (
        Column("arm", "the judge", numeric=False),
        Column("what differs", f"from {whole.label}", numeric=False),
        *(replace(frame.columns[i], brief=True) for frame, at in picked for i in at),
    )
    rows = tuple(
        (
            Cell(arm.label, trace=arm.run.trace),
            Cell(_differs(arm, whole)),
            *(frame.rows[row][i] for frame, at in picked for i in at),
        )
        for row, arm in enumerate(ablated.arms)
    )
    caption = (
        f"{ablated.run.dataset}. Every arm against {whole.label}, the whole judge. Scores, Δ and tests are made as in "
        f"the results, with Holm over these {ablated.family} tests alone. Calls and tokens are means of a judgment; an "
        "arm that reads the rows of another run out again carries what those rows cost. Wall s: time of the whole run, "
        f"shared out over its judgments. {ablated.provenance}"
    )
    return Frame("ablation", "Ablations, with budgets", caption, columns, rows)


def _whole(comparison: Comparison) -> Arm | None:
    """The arm with a full pool whose judge another arm has with a part of it."""
    judges = [(arm, _without_pool(arm.run.identity)) for arm in comparison.arms if _POOL in arm.run.identity]
    parts = [judge for arm, judge in judges if arm.run.identity[_POOL] != FULL]
    return next((arm for arm, judge in judges if arm.run.identity[_POOL] == FULL and judge in parts), None)


def _without_pool(identity: Mapping[str, str]) -> dict[str, str]:
    fields = {field: value for field, value in identity.items() if field.startswith(_JUDGE)}
    return {field: value for field, value in fields.items() if field not in (_POOL, f"{_JUDGE}name")}


def _places(frame: Frame, titles: list[str]) -> list[int]:
    known = [column.title for column in frame.columns]
    return [known.index(title) for title in titles]


def _differs(arm: Arm, base: Arm) -> str:
    """What of an arm's judge is not as in the whole one, in words of the config; of another kind, its class."""
    ours, whole = arm.run.identity, base.run.identity
    if arm.run is base.run:
        return "the whole judge"
    kind = ours.get(f"{_JUDGE}_target_", "")
    setting = [] if arm.run.setting == base.run.setting else [f"setting {arm.run.setting}"]
    if kind != whole.get(f"{_JUDGE}_target_"):
        told = [f"{name} {ours[_JUDGE + name]}" for name in ("reasoning", "rule", "readout") if _JUDGE + name in ours]
        return ", ".join([f"judge {kind.rpartition('.')[2]}", *told, *setting])
    changed = [
        f"{field.rpartition('.')[2]} {value}"
        for field, value in sorted(ours.items())
        if field.startswith(_JUDGE) and value != whole.get(field) and not field.endswith(_UNLISTED)
    ]
    return ", ".join([*changed, *setting]) or "nothing of the judge"
