"""Conduct: what the judges with tools did with them."""

from __future__ import annotations

from rewardlab.report.comparison import Arm, Comparison
from rewardlab.report.frame import Cell, Column, Frame, number, percent

# In the order in which a judgment comes to them.
TOOLS = (
    "use_skill",
    "list_resources",
    "view_resource",
    "run_resource",
    "python_sandbox",
    "run_tests",
    "record_evidence",
    "final_answer",
)


def conduct(comparison: Comparison) -> Frame | None:
    """Tool calls and evidence of every arm that has tools; None when no arm has any."""
    arms = [arm for arm in comparison.arms if _used(arm)]
    if not arms:
        return None
    columns = (
        Column("arm", "the judge", numeric=False),
        *(Column(tool, "calls a judgment that worked") for tool in TOOLS),
        Column("evidence", "entries of the ledger, a judgment"),
        Column("supported", "entries that rest on a call that worked or an exact quotation, in %"),
    )
    caption = (
        f"{comparison.run.dataset}. Calls that worked, a judgment; an arm that begins with its skill loaded makes no "
        f"use_skill call. {comparison.provenance}"
    )
    rows = tuple(_row(arm) for arm in arms)
    return Frame("conduct", "What the judges with tools did (mean of a judgment)", caption, columns, rows)


def _used(arm: Arm) -> dict[str, float]:
    used: dict[str, float] = arm.run.metrics["summary"].get("tool_calls_per_judgment", {})
    return used


def _row(arm: Arm) -> tuple[Cell, ...]:
    summary, trace, used = arm.run.metrics["summary"], arm.run.trace, _used(arm)
    return (
        Cell(arm.label, trace=trace),
        *(number(used.get(tool, 0.0), 2, trace=trace) for tool in TOOLS),
        number(summary["evidence_per_judgment"], 2, reason="no judgments", trace=trace),
        percent(summary["supported_evidence_rate"], reason="no evidence", trace=trace),
    )
