"""Status and cost: what became of the judgments of every arm, and what they took."""

from __future__ import annotations

from rewardlab.report.comparison import Arm, Comparison
from rewardlab.report.frame import Cell, Column, Frame, decimal, empty, number, percent
from rewardlab.verdict import Status

_NO_CALLS = "no model calls"


def costs(comparison: Comparison) -> Frame:
    """What became of the judgments of every arm, and what they cost."""
    columns = (
        Column("arm", "the judge", numeric=False),
        Column("rows", "judgments of the run"),
        Column("unparseable", "answered, but named nothing on the menu"),
        Column("truncated", "cut at the token limit before the verdict"),
        Column("error", "endpoint error or timeout"),
        Column("refused", "the model or the server declined", brief=False),
        Column("skipped", "never asked", brief=False),
        Column("tie", "the verdict is a tie"),
        Column("repair", "asked again after an unusable answer", brief=False),
        Column("fallback", "another judge answered in its place"),
        Column("consistent", "pairs, answered in both orders, with the same choice"),
        Column("first", "choices that fell on the candidate shown first"),
        Column("calls", "model calls a judgment"),
        Column("prompt (cached)", "prompt tokens a judgment, and those of them that a prefix cache answered"),
        Column("completion", "completion tokens a judgment, reasoning included"),
        Column("per right", "tokens, sent and received, for each right judgment: tokens a judgment by strict score"),
        Column("seconds", "of its calls, a judgment"),
        Column("wall s", "from the first judgment's start to the last one's end, over all judgments", brief=False),
        Column("cost", "a judgment, in the currency of the price table", brief=False),
    )
    caption = (
        f"{comparison.run.dataset}. Consistent: pairs, answered in both orders, with the same choice. First: choices "
        f"that fell on the candidate shown first{_without_bias(comparison)}. Calls, tokens and seconds count failed "
        "and repeated calls too. Per right: tokens a judgment by the strict score. Seconds are waits for its calls, "
        f"while other judgments may be under way. {comparison.provenance}"
    )
    return Frame(
        "costs",
        "Status (% of judgments) and cost (mean of a judgment)",
        caption,
        columns,
        tuple(_cost_row(arm) for arm in comparison.arms),
    )


def _without_bias(comparison: Comparison) -> str:
    shown = sorted(set(comparison.run.choices.values()) - {1})
    return f" ({', '.join(decimal(100 / n, 0) for n in shown)} without position bias)" if shown else ""


def _cost_row(arm: Arm) -> tuple[Cell, ...]:
    run, summary = arm.run, arm.run.metrics["summary"]
    rates = summary["status_rate"]

    def share(value: float | None, reason: str = "no judgments") -> Cell:
        return percent(value, reason=reason, trace=run.trace)

    errors = [rates[Status.ENDPOINT_ERROR.value], rates[Status.TIMEOUT.value]]
    return (
        Cell(arm.label, trace=run.trace),
        number(run.judgments, 0, trace=run.trace),
        share(rates[Status.UNPARSEABLE.value]),
        share(rates[Status.TRUNCATED.value]),
        share(None if None in errors else sum(errors)),
        share(rates[Status.REFUSED.value]),
        share(rates[Status.SKIPPED.value]),
        share(summary["tie_rate"]),
        share(summary["repair_rate"]),
        share(summary["fallback_rate"]),
        share(summary["both_order_consistency"], "no pair was answered in both orders"),
        share(run.first_chosen, run.why_no_choice),
        *_spent(arm),
    )


def _spent(arm: Arm) -> tuple[Cell, ...]:
    """Calls, tokens, seconds and money."""
    run = arm.run
    usage, n, trace = run.usage, run.judgments, run.trace
    if not usage.calls or not n:
        return tuple(empty(_NO_CALLS, trace) for _ in range(7))
    tokens, score = (usage.prompt_tokens + usage.completion_tokens) / n, arm.strict.point
    cached = f"({decimal(usage.cached_tokens / n, 0)})"
    return (
        number(usage.calls / n, 2, trace=trace),
        Cell(decimal(usage.prompt_tokens / n, 0), cached, trace=trace, value=usage.prompt_tokens / n),
        number(usage.completion_tokens / n, 1, trace=trace),
        number(tokens / score if score else None, 0, reason="nothing is right", trace=trace),
        number(usage.seconds / n, 2, trace=trace),
        number(run.manifest["seconds_first_to_last_call"] / n, 2, trace=trace),
        number(None if usage.cost is None else usage.cost / n, 5, reason="no price is known", trace=trace),
    )
