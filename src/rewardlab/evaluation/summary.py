"""What the rows of a run say without knowing gold: statuses, position, cost.

`first_position_rate` is the share of pairwise choices that fell on the candidate shown first, 1/2 for a judge without
position bias; `both_order_consistency` is the share of pairs, with a choice in both orders, that chose the same
candidate twice. What traces show of a judge with tools comes from `trace_audit`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rewardlab.evaluation.trace_audit import TraceTotals
from rewardlab.verdict import Judgment, Source, Status, Usage


class Summary:
    """Rates and means over the rows of one run, which are added one by one and not kept."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._sources: Counter[Source] = Counter()
        self._tools: Counter[str] = Counter()
        self._ties = self._own = self._evidence = self._supported = 0
        self._usage = Usage()
        self._traces, self._position = TraceTotals(), _Position()

    def add(self, judgment: Judgment) -> None:
        """Count one row; each key once."""
        verdict = judgment.verdict
        self._statuses[verdict.status.value] += 1
        self._sources[verdict.source] += 1
        self._tools.update(verdict.tools)
        self._ties += verdict.tie
        self._own += verdict.status is Status.OK and verdict.source is not Source.FALLBACK
        self._evidence += len(verdict.ledger)
        self._supported += sum(entry.supported for entry in verdict.ledger)
        self._usage += verdict.usage
        self._traces.add(judgment)
        self._position.add(judgment)

    def content(self) -> dict[str, Any]:
        """What has been added, JSON-like; a rate that is undefined (no rows of its kind) is None.

        Wall time and cached tokens are left out: they depend on what ran before, and a resumed run must give the
        summary of an unbroken one.
        """
        n = self._statuses.total()
        return {
            "judgments": n,
            "status_rate": {status.value: _ratio(self._statuses[status.value], n) for status in Status},
            "tie_rate": _ratio(self._ties, n),
            "repair_rate": _ratio(self._sources[Source.REPAIR], n),
            "own_verdict_rate": _ratio(self._own, n),
            "fallback_rate": _ratio(self._sources[Source.FALLBACK], n),
            **self._position.content(),
            "evidence_per_judgment": _ratio(self._evidence, n),
            "supported_evidence_rate": _ratio(self._supported, self._evidence),
            **self._traces.rates(),
            "tool_calls_per_judgment": {tool: count / n for tool, count in sorted(self._tools.items())},
            **{
                f"{name}_per_judgment": _ratio(getattr(self._usage, name), n)
                for name in ("calls", "prompt_tokens", "completion_tokens", "reasoning_tokens")
            },
        }


def summarise(judgments: Iterable[Judgment]) -> dict[str, Any]:
    """The summary of rows that are at hand: see `Summary`."""
    summary = Summary()
    for judgment in judgments:
        summary.add(judgment)
    return summary.content()


class _Position:
    """How choices between two candidates depend on their order."""

    def __init__(self) -> None:
        self._choices = self._first = self._both = self._consistent = 0
        self._in_one_order: dict[tuple[str, int], str] = {}  # task and repeat: choice, until the other order comes

    def add(self, judgment: Judgment) -> None:
        choice = judgment.verdict.choice
        if len(judgment.order) != 2 or choice is None:
            return
        self._choices += 1
        self._first += choice == judgment.order[0]
        pair = (judgment.task_id, judgment.repeat)
        other = self._in_one_order.pop(pair, None)
        if other is None:
            self._in_one_order[pair] = choice
        else:
            self._both += 1
            self._consistent += choice == other

    def content(self) -> dict[str, float | None]:
        return {
            "first_position_rate": _ratio(self._first, self._choices),
            "both_orders_judged": self._both,
            "both_order_consistency": _ratio(self._consistent, self._both),
        }


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None
