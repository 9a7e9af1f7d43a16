"""What a run would need, measured from a sample before the rest is paid for.

A seeded random sample of the plan is judged, and nothing else. Its rows are rows of the run: the run itself does not
judge them again, and a second forecast judges nothing. Calls, tokens and cost of the rest are extrapolated with an
interval. Its time is given as a range, because a small sample cannot show what a full load does: the short end assumes
that judgments take as long with `concurrency` of them in flight, the long end that no more can be done at a time than
were in the sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rewardlab.errors import UserError
from rewardlab.evaluation.run import OpenRun, judge_rows
from rewardlab.randomness import stream
from rewardlab.stats.estimates import Interval
from rewardlab.stats.totals import remaining_total
from rewardlab.verdict import Usage


class Seconds(NamedTuple):
    """A range of time; None where nothing was measured."""

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left of a run, and what it would need.

    Attributes:
        benchmark: Name of the benchmark.
        judge: Name of the judge.
        folder: The run's folder, as text; it holds the sample's rows.
        planned: Judgments of the whole run.
        remaining: Those of them that have no final row yet.
        sample: Judgments that the forecast rests on.
        status: How many judgments of the sample have which status.
        calls: Model calls of the rest.
        prompt_tokens: Prompt tokens of the rest, cached ones included.
        completion_tokens: Completion tokens of the rest.
        cost: In the currency of the price table; undefined where no price is known.
        seconds: Wall time of the rest.
    """

    benchmark: str
    judge: str
    folder: str
    planned: int
    remaining: int
    sample: int
    status: Mapping[str, int]
    calls: Interval
    prompt_tokens: Interval
    completion_tokens: Interval
    cost: Interval
    seconds: Seconds


def forecast(run: OpenRun, sample: int) -> Forecast:
    """Judge a sample of a run, where it is not judged yet, and extrapolate.

    Args:
        run: The run.
        sample: Judgments to measure; the whole plan where it has fewer.

    Raises:
        UserError: When the sample is empty, or a row cannot be written, or the run is asked to stop.
    """
    if sample < 1:
        raise UserError(f"dry_run_sample={sample} measures nothing; set it to 1 or more")
    draw = stream(run.settings.seed, run.benchmark.name, "dry run").permutation(len(run.plan))[:sample]
    chosen = [run.plan[i] for i in sorted(draw)]
    judge_rows(replace(run, plan=chosen))
    keys = {presentation.key for presentation in chosen}
    rows = list(run.home.collect(lambda judgment: judgment.key in keys).judgments)
    times = [spell for key, spell in run.home.times().items() if key in keys]
    finished = run.home.finished_keys()
    remaining = sum(presentation.key not in finished for presentation in run.plan)
    usages = [row.verdict.usage for row in rows]
    return Forecast(
        run.benchmark.name,
        run.judge.name,
        str(run.home.path),
        len(run.plan),
        remaining,
        len(rows),
        dict(sorted(Counter(row.verdict.status.value for row in rows).items())),
        remaining_total([u.calls for u in usages], remaining),
        remaining_total([u.prompt_tokens for u in usages], remaining),
        remaining_total([u.completion_tokens for u in usages], remaining),
        _cost(usages, remaining),
        _seconds(times, remaining, run.settings.concurrency * run.settings.devices),
    )


def _cost(usages: Sequence[Usage], remaining: int) -> Interval:
    values = [usage.cost if usage.calls else 0.0 for usage in usages]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return Interval(None, None, None, 0, 0, "no price is known")
    return remaining_total(known, remaining)


def _seconds(spells: Sequence[tuple[float, float]], remaining: int, concurrency: int) -> Seconds:
    if not spells:
        return Seconds(None, None)
    each = sum(end - start for start, end in spells) / len(spells)
    pace = _busy(spells) / len(spells)
    return Seconds(min(pace, each / concurrency) * remaining, pace * remaining)


def _busy(spells: Iterable[tuple[float, float]]) -> float:
    """Seconds in which at least one judgment was under way."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spells):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
