"""The runs behind a comparison: id, commit, command and identity of each."""

from __future__ import annotations

from rewardlab.report.comparison import Arm, Comparison
from rewardlab.report.frame import Cell, Column, Frame, empty, number


def runs(comparison: Comparison) -> Frame:
    """Where every row of the other tables comes from."""
    columns = (
        Column("arm", numeric=False),
        Column("run", numeric=False),
        Column("commit", numeric=False),
        Column("setting", numeric=False),
        Column("model", "as reported", numeric=False),
        Column("judgments"),
        Column("command", numeric=False, brief=False),
        Column("identity", "every part that decides the run", numeric=False, brief=False),
    )
    rows = tuple(_run_row(arm) for arm in comparison.arms)
    caption = f"Runs on {comparison.run.dataset}, named by the hash of their identity."
    return Frame("runs", "Runs", caption, columns, rows)


def _run_row(arm: Arm) -> tuple[Cell, ...]:
    run = arm.run
    return (
        Cell(arm.label),
        Cell(run.run_id, trace=run.trace),
        Cell(run.commit),
        Cell(run.setting),
        Cell(run.model) if run.model else empty("no model"),
        number(run.judgments, 0, trace=run.trace),
        Cell(run.command),
        Cell("; ".join(f"{name}={value}" for name, value in sorted(run.identity.items()))),
    )
