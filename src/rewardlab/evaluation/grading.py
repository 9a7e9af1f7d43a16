"""From rows to metrics: the benchmark grades, statistics put an interval around the headline.

Everything here is a function of the rows, the benchmark and a seed, so equal rows give equal metrics. Judgments without
a verdict are handled three ways and all three are kept: the primary figure gives them no credit (intention to judge),
`excluded` leaves them out, and `worst` and `best` bound what they could have been.

A verdict that another judge gave in the arm's place (`Source.FALLBACK`) is none of the arm's own: official grading
counts it, as the code that falls back does, and strict grading does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rewardlab.benchmarks.protocol import Benchmark, Grades, ItemGrade
from rewardlab.evaluation.confidence import Calibration
from rewardlab.evaluation.summary import Summary
from rewardlab.randomness import stream
from rewardlab.stats.intervals import share_interval
from rewardlab.verdict import Judgment, Source, Status, Usage, Verdict

_NOTHING: Mapping[str, Any] = {}
_UNREAD: Mapping[str, Any] = {"ledger": (), "readout": "", "usage": Usage(), "tools": _NOTHING, "trace": (), "note": ""}


def strict_values(items: Sequence[ItemGrade]) -> list[float]:
    """Strict credit of each item, nothing for an item without a verdict."""
    return [item.strict if item.strict is not None else 0.0 for item in items]


def grade(benchmark: Benchmark, judgments: Sequence[Judgment]) -> Grades:
    """Grade rows: officially with the verdicts of fallbacks, strictly without them."""
    official = benchmark.grade(judgments)
    if all(j.verdict.source is not Source.FALLBACK for j in judgments):
        return official
    own = benchmark.grade([_without_fallback(j) for j in judgments])
    items = tuple(o._replace(strict=s.strict) for o, s in zip(official.items, own.items, strict=True))
    return replace(official, strict=own.strict, items=items)


def _without_fallback(judgment: Judgment) -> Judgment:
    if judgment.verdict.source is not Source.FALLBACK:
        return judgment
    return replace(judgment, verdict=Verdict(Status.UNPARSEABLE, note="only a fallback gave a verdict"))


def metrics(benchmark: Benchmark, judgments: Iterable[Judgment], seed: int) -> tuple[Grades, dict[str, Any]]:
    """Grade the rows of a run.

    Args:
        benchmark: The benchmark they belong to.
        judgments: One judgment a key; gone through once. Of each, only what grading reads is kept meanwhile.
        seed: Seed of the bootstrap draws.

    Returns:
        The grades, and the JSON-like content of metrics.json.
    """
    summary, calibration, graded, shared = Summary(), Calibration(benchmark.gold()), [], _Shared()
    for judgment in judgments:
        summary.add(judgment)
        calibration.add(judgment)
        graded.append(shared.bare(judgment))
    grades = grade(benchmark, graded)
    content: dict[str, Any] = {
        "benchmark": benchmark.name,
        "headline": grades.headline,
        "formula": grades.formula,
        "official": dict(grades.official),
        "strict": dict(grades.strict),
        "no_verdict_items": sum(item.strict is None for item in grades.items),
        "summary": summary.content(),
    }
    if grades.linear:
        content["interval"] = _interval(grades.items, seed)
        content["missing_verdicts"] = _bounds(grades.items)
    if (found := calibration.content()) is not None:
        content["calibration"] = found
    return grades, content


class _Shared:
    """Makes rows small: a run of many repeats has 100,000s of them, and grading wants all at once."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}
        self._verdicts: dict[tuple[Any, ...], Verdict] = {}

    def bare(self, judgment: Judgment) -> Judgment:
        """The row with what grading reads; equal names, orders and verdicts are one object in all rows."""
        of, verdict = self._known.setdefault, judgment.verdict
        choice = of(verdict.choice, verdict.choice)
        scores = {of(name, name): score for name, score in verdict.scores.items()} or _NOTHING
        told_apart_by = (
            verdict.status, choice, verdict.tie, tuple(scores.items()),
            verdict.steps, verdict.first_error, verdict.source,
        )  # fmt: skip
        bare = self._verdicts.get(told_apart_by)
        if bare is None:
            bare = replace(verdict, choice=choice, scores=scores, **_UNREAD)
            if not scores and not verdict.steps:  # numbers are seldom equal
                self._verdicts[told_apart_by] = bare
        return Judgment(
            of(judgment.task_id, judgment.task_id), of(judgment.order, judgment.order), judgment.repeat, bare
        )


def _interval(items: Sequence[ItemGrade], seed: int) -> dict[str, Any]:
    interval = share_interval(
        strict_values(items),
        stream(seed, "interval"),
        weights=[item.weight for item in items],
        clusters=[item.cluster for item in items],
    )
    return interval._asdict()


def _bounds(items: Sequence[ItemGrade]) -> dict[str, float | None]:
    def mean(values: Sequence[float], weights: Sequence[float]) -> float | None:
        return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights) if sum(weights) else None

    answered = [item for item in items if item.strict is not None]
    weights = [item.weight for item in items]
    return {
        "excluded": mean([item.strict or 0.0 for item in answered], [item.weight for item in answered]),
        "worst": mean(strict_values(items), weights),
        "best": mean([1.0 if item.strict is None else item.strict for item in items], weights),
    }
