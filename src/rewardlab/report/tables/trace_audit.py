"""The audit of traces: how relevant, faithful and auditable what the judges with tools did was."""

from __future__ import annotations

from rewardlab.judges.tools import Fault
from rewardlab.report.comparison import Arm, Comparison
from rewardlab.report.frame import Cell, Column, Frame, number, percent

_CALLS = {
    Fault.PHANTOM: "named a resource that the sample does not have",
    Fault.NOT_OFFERED: "named no tool that was on offer",
    Fault.INVALID: "had arguments that break the schema",
    Fault.REPEATED: "had been made before",
    Fault.FAILED: "ran and ended in an error",
}


def trace_audit(comparison: Comparison) -> Frame | None:
    """Rates of faults and of conduct for every arm whose traces were audited; None when there is no such arm."""
    arms = [arm for arm in comparison.arms if arm.run.metrics["summary"].get("audited_traces")]
    if not arms:
        return None
    columns = (
        Column("arm", "the judge", numeric=False),
        Column("traces", "judgments with a trace of tools"),
        *(Column(fault.value.replace("_", " "), f"calls that {what}, in %") for fault, what in _CALLS.items()),
        Column("forced", "final answers in a turn that offered nothing else, in %"),
        Column("repaired", "verdicts that were asked for again, in %"),
        Column("fallback", "verdicts of another judge in its place, in %"),
        Column("early", "final answers without evidence and without a look at anything, in %"),
        Column("against ledger", "final answers that the evidence contradicts, in % of those with evidence"),
        Column("no source", "entries of the ledger that rest on no call that worked and no quotation, in %"),
    )
    caption = (
        f"{comparison.run.dataset}, in %. Of the tool calls: {', '.join(f.value.replace('_', ' ') for f in _CALLS)} "
        "did not work, and why. Of the judgments: forced, repaired, fallback, early. Against ledger: of final answers "
        "beside evidence on a candidate, whatever the readout made of them. No source: of the entries of the ledger. "
        f"{comparison.provenance}"
    )
    return Frame("trace-audit", "Audit of the traces", caption, columns, tuple(_row(arm) for arm in arms))


def _row(arm: Arm) -> tuple[Cell, ...]:
    summary, trace = arm.run.metrics["summary"], arm.run.trace

    def share(value: float | None, reason: str) -> Cell:
        return percent(value, reason=reason, trace=trace)

    supported = summary["supported_evidence_rate"]
    return (
        Cell(arm.label, trace=trace),
        number(summary["audited_traces"], 0, trace=trace),
        *(share(summary[f"{fault.value}_call_rate"], "no tool calls") for fault in _CALLS),
        share(summary["forced_final_rate"], "no traces"),
        share(summary["repair_rate"], "no judgments"),
        share(summary["fallback_rate"], "no judgments"),
        share(summary["early_stop_rate"], "no traces"),
        share(summary["against_ledger_rate"], "no final answer beside evidence"),
        share(None if supported is None else 1 - supported, "no evidence"),
    )
