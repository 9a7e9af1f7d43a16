from __future__ import annotations

from dataclasses import replace
from typing import Any

from rewardlab.report.comparison import Comparison
from rewardlab.report.tables.trace_audit import trace_audit
from tests.report.tables.cells import cell

AUDITED: dict[str, Any] = {
    "audited_traces": 40,
    "phantom_call_rate": 0.125,
    "not_offered_call_rate": 0.0,
    "invalid_call_rate": 0.0,
    "repeated_call_rate": 0.25,
    "failed_call_rate": 0.5,
    "forced_final_rate": 0.75,
    "early_stop_rate": 0.1,
    "against_ledger_rate": None,
    "supported_evidence_rate": 0.9,
}


def test_the_rates_of_audited_arms_are_shown_and_other_arms_left_out(comparison: Comparison) -> None:
    assert trace_audit(comparison) is None
    first, *others = comparison.arms
    summary = {**first.run.metrics["summary"], **AUDITED}
    run = replace(first.run, metrics={**first.run.metrics, "summary": summary})
    frame = trace_audit(replace(comparison, arms=(replace(first, run=run), *others)))
    assert frame is not None
    assert [row[0].text for row in frame.rows] == [first.label]
    shown = {column.title: cell(frame, first.label, column.title).text for column in frame.columns[1:]}
    assert shown == {
        "traces": "40", "phantom": "12.5", "not offered": "0.0", "invalid": "0.0", "repeated": "25.0",
        "failed": "50.0", "forced": "75.0", "repaired": "0.0", "fallback": "0.0", "early": "10.0",
        "against ledger": "–", "no source": "10.0",
    }  # fmt: skip
    assert cell(frame, first.label, "against ledger").note == "no final answer beside evidence"
