"""What a run, or two arms on the same items, show about a claim: an effect with its interval.

Values come from the stored item grades, or from the stored rows where a rate is about judgments; nothing is graded
again. Values of one cluster stay together. A judge that gives the same on every item leaves no variation to estimate an
interval from; then the share of clusters that would give something else is bounded exactly, and the interval follows
from how far they could move the mean.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scipy.special import ndtri

from rewardlab.benchmarks.protocol import ItemGrade
from rewardlab.evaluation.finished import FinishedRun
from rewardlab.evaluation.grading import strict_values
from rewardlab.randomness import stream
from rewardlab.stats import Estimate, Interval, PairedTest, mean_interval, paired_difference, paired_mde, paired_test
from rewardlab.stats.intervals import clopper_pearson
from rewardlab.store.folder import read_rows
from rewardlab.verdict import Judgment


class Values(NamedTuple):
    """One value for each item, with what statistics need beside it.

    Attributes:
        values: Shares in [0, 1], or taus in [-1, 1].
        weights: Weight of each in the mean.
        clusters: Cluster of each.
    """

    values: list[float]
    weights: list[float]
    clusters: list[str]


@dataclass(frozen=True, slots=True)
class Effect:
    """A figure or a difference.

    Attributes:
        interval: Point and 95 % interval.
        values: What it rests on; differences for a paired effect. None for a composite.
        test: The paired test of no difference; None for a figure of one arm.
    """

    interval: Interval
    values: Values | None
    test: PairedTest | None = None

    def detectable(self, value: float) -> Estimate:
        """The smallest distance of the true effect from `value` that would have been found with power 0.8."""
        if self.values is None and self.interval.low is not None and self.interval.high is not None:
            # From the interval's width, as if it were a normal one.
            error = (self.interval.high - self.interval.low) / (2 * ndtri(0.975))
            return Estimate(float((ndtri(0.975) + ndtri(0.8)) * error), self.interval.n)
        if self.values is None:
            return Estimate(None, self.interval.n, self.interval.reason)
        same = [value] * len(self.values.values)
        return paired_mde(self.values.values, same, weights=self.values.weights, clusters=self.values.clusters)


def figure(run: FinishedRun, metric: str) -> Effect:
    """A figure of one arm.

    Args:
        run: The run.
        metric: strict or official (the headline), first_position_rate, both_order_consistency, used/<tool>, or
            select/<way of selecting>.
    """
    if metric.startswith("select/"):
        items = _about(run, metric)
        return _mean(run, metric, _of_items(items, strict_values(items)) if items else None, None)
    headline: str = run.metrics["headline"]
    if metric == "official":
        return official(run, headline)
    if metric == "strict":
        stored: float | None = run.metrics["strict"][headline]
        return _mean(run, metric, _matching(stored, [_of_items(run.items, strict_values(run.items))]), stored)
    values = _rate(run, _per_task(metric))
    return _mean(run, metric, values if values.values else None, None)


def official(run: FinishedRun, metric: str) -> Effect:
    """A metric under the upstream rule, with an interval where it is a mean of item grades.

    Args:
        run: The run.
        metric: Name among the official metrics; after a slash the group of items that it is about.
    """
    point: float | None = run.metrics["official"].get(metric)
    group = metric.partition("/")[2]
    items = [item for item in run.items if not group or item.group == group]
    answered = [item for item in items if item.official is not None]
    candidates = [_of_items(part, [item.official or 0.0 for item in part]) for part in (answered, items)]
    plain = [values._replace(weights=[1.0] * len(values.values)) for values in candidates]
    return _mean(run, metric, _matching(point, [*candidates, *plain]), point)


def difference(arm: FinishedRun, base: FinishedRun, metric: str) -> Effect:
    """A figure of one arm minus that of another, on the items that both judged.

    Args:
        arm: The one.
        base: The other.
        metric: strict (the headline), or select/<way of selecting>.
    """
    ours, theirs = ({item.item: item for item in _about(run, metric)} for run in (arm, base))
    shared = [name for name in ours if name in theirs]
    first, second = (strict_values([of_run[name] for name in shared]) for of_run in (ours, theirs))
    values = _of_items([ours[name] for name in shared], [a - b for a, b in zip(first, second, strict=True)])
    rng = stream(arm.seed, "claim", arm.run_id, base.run_id)
    interval = paired_difference(first, second, rng, values.weights, values.clusters)
    return Effect(
        _bounded(interval, values, -1.0), values, paired_test(first, second, rng, values.weights, values.clusters)
    )


def mean_of(effects: Sequence[Effect]) -> Effect:
    """The plain mean of figures on independent benchmarks, with the MOVER interval (Zou and Donner 2008, section 2)."""
    k = len(effects)
    intervals = [effect.interval for effect in effects]
    n, clusters = sum(i.n for i in intervals), sum(i.clusters for i in intervals)
    points = [i.point for i in intervals if i.point is not None]
    point = sum(points) / k if len(points) == k else None
    below = [i.point - i.low for i in intervals if i.point is not None and i.low is not None]
    above = [i.high - i.point for i in intervals if i.point is not None and i.high is not None]
    if point is None or len(below) < k:
        reason = "; ".join(dict.fromkeys(i.reason for i in intervals if i.reason))
        return Effect(Interval(point, None, None, n, clusters, reason), None)
    low, high = point - math.hypot(*below) / k, point + math.hypot(*above) / k
    return Effect(Interval(point, low, high, n, clusters, method="MOVER"), None)


def _about(run: FinishedRun, metric: str) -> list[ItemGrade]:
    """The items that a metric is about."""
    kind, _, way = metric.partition("/")
    return [item for item in run.items if kind != "select" or item.group == way]


def _of_items(items: Sequence[ItemGrade], values: Sequence[float]) -> Values:
    return Values(list(values), [item.weight for item in items], [item.cluster for item in items])


def _matching(point: float | None, candidates: Iterable[Values]) -> Values | None:
    """The values whose weighted mean the stored figure is; None for a composite."""
    for values in candidates:
        weight = math.fsum(values.weights)
        mean = math.fsum(v * w for v, w in zip(values.values, values.weights, strict=True)) / (weight or math.nan)
        if point is not None and math.isclose(mean, point, abs_tol=1e-9):
            return values
    return None


def _mean(run: FinishedRun, metric: str, values: Values | None, point: float | None) -> Effect:
    if values is None:
        reason = "nothing to count" if point is None else "a composite, which is no mean of item grades"
        clusters = len({item.cluster for item in run.items})
        return Effect(Interval(point, None, None, len(run.items), clusters, reason), None)
    rng = stream(run.seed, "claim", run.run_id, metric)
    interval = mean_interval(values.values, rng, weights=values.weights, clusters=values.clusters)
    return Effect(_bounded(interval, values, min(0.0, *values.values)), values)


def _bounded(interval: Interval, values: Values, lowest: float) -> Interval:
    """The interval, or the exact bound where all values are equal.

    Of C clusters that all give v, at most a share u would give something else (Clopper-Pearson of 0 in C). If those
    gave the lowest or the highest possible value, the mean would move from v by u times the distance.
    """
    if interval.low is not None or len(set(values.values)) != 1 or interval.clusters < 2:
        return interval
    v, u = values.values[0], clopper_pearson(0, interval.clusters).high or 1.0
    low, high = v - u * (v - lowest), v + u * (1.0 - v)
    return interval._replace(low=low, high=high, reason="", method="exact bound on unlike clusters")


def _per_task(metric: str) -> Callable[[Sequence[Judgment]], list[bool]]:
    """What a rate counts among the judgments of one task."""

    def chosen(judgments: Sequence[Judgment]) -> list[Judgment]:
        return [j for j in judgments if len(j.order) == 2 and j.verdict.choice is not None]

    def first(judgments: Sequence[Judgment]) -> list[bool]:
        return [j.verdict.choice == j.order[0] for j in chosen(judgments)]

    def consistent(judgments: Sequence[Judgment]) -> list[bool]:
        by_repeat: defaultdict[int, dict[tuple[str, ...], str | None]] = defaultdict(dict)
        for j in chosen(judgments):
            by_repeat[j.repeat][j.order] = j.verdict.choice
        return [len(set(choices.values())) == 1 for choices in by_repeat.values() if len(choices) == 2]

    def used(judgments: Sequence[Judgment]) -> list[bool]:
        return [j.verdict.tools.get(metric.removeprefix("used/"), 0) > 0 for j in judgments]

    return {"first_position_rate": first, "both_order_consistency": consistent}.get(metric, used)


def _rate(run: FinishedRun, count: Callable[[Sequence[Judgment]], list[bool]]) -> Values:
    """The share of what is counted, task by task; a task weighs as much as it has counts, so the mean is the rate."""
    cluster_of: Mapping[str, str] = {item.item: item.cluster for item in run.items}
    by_task: defaultdict[str, list[Judgment]] = defaultdict(list)
    for judgment in read_rows(run.folder / "rows.jsonl.zst"):
        by_task[judgment.task_id].append(judgment)
    rows = [(task, hits) for task, judgments in sorted(by_task.items()) if (hits := count(judgments))]
    return Values(
        [sum(hits) / len(hits) for _, hits in rows],
        [float(len(hits)) for _, hits in rows],
        [cluster_of.get(task, task) for task, _ in rows],
    )
