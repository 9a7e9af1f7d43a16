"""Single judgments to read: what a judge was shown, did and answered, and what was right.

Traces lie in rows.sqlite beside a run and nowhere else, because they quote third-party text. So a page never holds
them: it asks for them when a reader does, in a script of their own beside it, which stays out of git. Judgments on
items where the arm and the baseline earned different credit come first, for that is where the difference is made.
"""

from __future__ import annotations

import base64
import gzip
import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewardlab.report.comparison import Arm, Comparison
from rewardlab.store.folder import StoredRows
from rewardlab.store.rows import RowStore
from rewardlab.verdict import Event, Judgment

_LONGEST = 4000  # characters of one step; whole prompts of a whole run grow to hundreds of megabytes
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Trace:
    """One judgment.

    Attributes:
        arm: Label of the arm.
        judgment: The judgment with its texts.
        gold: Ids of the right candidates; empty where the run did not keep them.
        credit: Strict credit of its item; None without a verdict, or where the item holds several tasks.
        flipped: Whether the baseline earned another credit on the item.
        steps: Kind and text of each step.
    """

    arm: str
    judgment: Judgment
    gold: frozenset[str]
    credit: float | None
    flipped: bool
    steps: tuple[tuple[str, str], ...]


def read_traces(comparison: Comparison, limit: int | None) -> tuple[Trace, ...]:
    """At most `limit` judgments of each arm that asked a model, flips first; None for all."""
    base = comparison.arms[0] if comparison.has_baseline else None
    arms = [arm for arm in comparison.arms if not arm.run.asks_no_model]
    return tuple(trace for arm in arms for trace in _of_arm(arm, base, limit))


def script(name: str, traces: Sequence[Trace]) -> str:
    """A script that hands judgments to the page, compressed.

    Args:
        name: Anchor of the section that asks for them.
        traces: The judgments.
    """
    first = sorted(traces, key=lambda trace: not trace.flipped)
    rows = json.dumps([_row(trace) for trace in first], sort_keys=True)
    packed = base64.b64encode(gzip.compress(rows.encode(), mtime=0)).decode()
    return f'rewardlabJudgments({json.dumps(name)}, "{packed}");\n'


def _of_arm(arm: Arm, base: Arm | None, limit: int | None) -> list[Trace]:
    paths = sorted(arm.run.folder.glob("rows*.sqlite"))
    gold: dict[str, frozenset[str]] = {}
    for path in paths:
        with RowStore(path) as store:
            gold |= store.gold()
    ours = {item.item: item.strict for item in arm.run.items}
    theirs = {item.item: item.strict for item in base.run.items} if base else {}

    def place(judgment: Judgment) -> tuple[bool, str]:
        return ours.get(judgment.task_id) == theirs.get(judgment.task_id), judgment.key

    rows = StoredRows(paths, lambda judgment: judgment.task_id in arm.run.choices)
    chosen = sorted(rows, key=place) if limit is None else heapq.nsmallest(limit, rows, key=place)
    return [
        Trace(
            arm.label,
            judgment,
            gold.get(judgment.task_id, frozenset()),
            ours.get(judgment.task_id),
            judgment.task_id in theirs and ours.get(judgment.task_id) != theirs[judgment.task_id],
            tuple((event.kind, _readable(event)) for event in judgment.verdict.trace),
        )
        for judgment in chosen
    ]


def _row(trace: Trace) -> dict[str, Any]:
    """What the page shows of a judgment, as JSON; candidates by the letter of their place, with their ids."""
    judgment, verdict = trace.judgment, trace.judgment.verdict
    names = (
        {candidate: f"{letter} ({candidate})" for letter, candidate in zip(_LETTERS, judgment.order, strict=False)}
        if len(judgment.order) > 1
        else {}
    )

    def named(candidate: str | None) -> str:
        return "all" if candidate is None else names.get(candidate, candidate)

    ledger = [
        {
            "criterion": entry.criterion,
            "candidate": named(entry.candidate),
            "decision": entry.decision.value,
            "evidence": f"{entry.hardness.value}, weight {entry.weight:g}",
            "rests on": entry.source if entry.supported else f"{entry.source or 'nothing'}, unsupported",
            "seen": entry.observation,
        }
        for entry in verdict.ledger
    ]
    usage = verdict.usage
    return {
        "arm": trace.arm,
        "question": judgment.task_id,
        "repeat": judgment.repeat,
        "order": ", ".join(map(named, judgment.order)),
        "status": verdict.status.value,
        "verdict": _answer(verdict.choice and named(verdict.choice), verdict.tie, verdict.first_error, verdict.note),
        "scores": ", ".join(f"{named(c)} {score:.3f}" for c, score in verdict.scores.items()),
        "gold": ", ".join(sorted(map(named, trace.gold))),
        "credit": trace.credit,
        "flipped": trace.flipped,
        "tools": ", ".join(f"{tool} {count}" for tool, count in sorted(verdict.tools.items())),
        "readout": verdict.readout,
        "source": verdict.source.value,
        "cost": f"{usage.calls} calls, {usage.prompt_tokens} + {usage.completion_tokens} tokens, {usage.seconds:.2f} s",
        "ledger": ledger,
        "steps": trace.steps,
    }


def _answer(choice: str | None, tie: bool, first_error: int | None, note: str) -> str:
    if first_error is not None:
        return "all steps are right" if first_error < 0 else f"step {first_error} is the first wrong one"
    return choice or ("tie" if tie else note)


def _readable(event: Event) -> str:
    """A step as text: the messages of a prompt, what a model replied, else its detail as JSON."""
    messages = event.detail.get("messages")
    if isinstance(messages, list | tuple):
        text = "\n\n".join(f"[{message.get('role', '')}]\n{message.get('content', '')}" for message in messages)
    else:
        text = json.dumps(_without_blanks(event.detail), indent=1, sort_keys=True, ensure_ascii=False)
    left_out = len(text) - _LONGEST
    return text if left_out <= 0 else f"{text[:_LONGEST]}\n… {left_out} more characters"


def _without_blanks(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if value not in ("", [], (), None)}
