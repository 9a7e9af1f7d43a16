"""What the trace of a judge with tools shows of its conduct, and how often it happens in a run.

A function of stored rows with their traces. It lies outside the packages that decide verdicts, so a new rate makes no
run another one. Rows without a trace of tools (static judges, exported rows) have no audit, and rates over no audited
row are None. Repairs, fallbacks and evidence without a source need no trace; `summary` counts them.

The model's own final answer is held against its own ledger, whatever readout decided: `against_ledger` says that no
candidate which the model put first is first by the evidence alone (for a rating: the two lie on different sides of the
middle). It is None without a final answer or without supported evidence.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rewardlab.judges.readout import lexicographic
from rewardlab.judges.tools import Fault
from rewardlab.verdict import Event, Judgment

# Tools that look at the sample or its candidates; a final answer before any of them rests on the prompt alone.
LOOKING = frozenset({"view_resource", "run_resource", "python_sandbox", "run_tests"})


class TraceAudit(NamedTuple):
    """One judgment.

    Attributes:
        calls: Tool calls made, the final answer included.
        faults: How many of them did not work, by reason.
        forced: The verdict came in a turn that offered the final answer only.
        early: The model gave its final answer without supported evidence and without having opened or run anything.
        against_ledger: The final answer contradicts the evidence; None where there is nothing to compare.
    """

    calls: int
    faults: Mapping[Fault, int]
    forced: bool
    early: bool
    against_ledger: bool | None


def audit(judgment: Judgment) -> TraceAudit | None:
    """Audit one judgment; None when its trace is not that of a judge with tools."""
    verdict = judgment.verdict
    readouts = [event for event in verdict.trace if event.kind == "readout"]
    if not readouts:
        return None
    tools = [event.detail for event in verdict.trace if event.kind == "tool"]
    own: dict[str, float] = readouts[-1].detail["own"]
    supported = any(entry.supported for entry in verdict.ledger)
    looked = any(call["ok"] and call["name"] in LOOKING for call in tools)
    return TraceAudit(
        calls=len(tools),
        faults=Counter(Fault(call["fault"]) for call in tools if call["fault"]),
        forced=bool(own) and _last_offer(verdict.trace) == ["final_answer"],
        early=bool(own) and not supported and not looked,
        against_ledger=_against(judgment, own),
    )


def _last_offer(trace: Sequence[Event]) -> list[str]:
    return next((list(e.detail["offered"]) for e in reversed(trace) if e.kind == "reply"), [])


def _against(judgment: Judgment, own: Mapping[str, float]) -> bool | None:
    ledger = judgment.verdict.ledger
    if not own or not any(entry.supported and entry.candidate for entry in ledger):
        return None
    ids = dict(zip(string.ascii_uppercase, judgment.order, strict=False))
    said = {ids[label]: score for label, score in own.items()}
    shown = lexicographic(ledger, list(said), {})
    if len(said) == 1:
        ((one, score),) = said.items()
        return (score - 0.5) * (shown[one] - 0.5) < 0
    return not _first(said) & _first(shown)


def _first(scores: Mapping[str, float]) -> set[str]:
    return {candidate for candidate, score in scores.items() if score == max(scores.values())}


class TraceTotals:
    """Audits of a run's rows, added up one by one."""

    def __init__(self) -> None:
        self._audited = self._calls = self._forced = self._early = self._compared = self._against = 0
        self._faults: Counter[Fault] = Counter()

    def add(self, judgment: Judgment) -> None:
        """Count one judgment; one without a trace of tools counts nothing."""
        found = audit(judgment)
        if found is None:
            return
        self._audited += 1
        self._calls += found.calls
        self._faults.update(found.faults)
        self._forced += found.forced
        self._early += found.early
        self._compared += found.against_ledger is not None
        self._against += bool(found.against_ledger)

    def rates(self) -> dict[str, Any]:
        """The audits as rates, JSON-like.

        Rates of faults are shares of tool calls, rates of conduct are shares of audited judgments;
        `against_ledger_rate` is over those with a final answer and evidence. None where a rate is undefined.
        """
        return {
            "audited_traces": self._audited,
            **{f"{fault.value}_call_rate": _share(self._faults[fault], self._calls) for fault in Fault},
            "forced_final_rate": _share(self._forced, self._audited),
            "early_stop_rate": _share(self._early, self._audited),
            "against_ledger_rate": _share(self._against, self._compared),
        }


def _share(hits: int, total: int) -> float | None:
    return hits / total if total else None
