"""The learning curve of scalar reward models: how a trained model judges, by how much it was trained on.

A row is an arm; a training's arms over several seeds are averaged item by item before anything is compared, so an
interval is about items, and the seeds' own spread stands apart.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from rewardlab.evaluation.finished import FinishedRun
from rewardlab.evaluation.grading import strict_values
from rewardlab.randomness import stream
from rewardlab.report.frame import DASH, Cell, Column, Frame, decimal, empty, number
from rewardlab.stats import Interval, paired_difference, share_interval

Judged = Mapping[str, Sequence[FinishedRun]]  # arm to its runs, one for each seed


def learning_curve(pairs: Mapping[str, int], judged: Mapping[str, Judged], baseline: str) -> Frame:
    """Accuracy of every arm on every benchmark, and its difference to a baseline.

    Args:
        pairs: Training to the pairs that it saw; an arm that is none of them needs no training.
        judged: Benchmark to its arms; every run of a benchmark judged the same items.
        baseline: The arm to compare with.
    """
    columns = [Column("arm", numeric=False), Column("pairs", "trained on")]
    for benchmark in judged:
        columns += [
            Column(f"{benchmark} %", "strict accuracy, mean over seeds"),
            Column("SD", "standard deviation over seeds, in points", brief=False),
            Column(f"Δ to {baseline}", "paired, in points"),
        ]
    names = list(dict.fromkeys(name for arms in judged.values() for name in arms))
    rows = []
    for name in sorted(names, key=lambda name: (name not in pairs, list(pairs).index(name) if name in pairs else 0)):
        cells = [Cell(name), number(pairs.get(name), 0, reason="not trained")]
        for benchmark, arms in judged.items():
            cells += _cells(benchmark, arms.get(name, ()), arms.get(baseline, ()))
        rows.append(tuple(cells))
    commits = sorted({run.commit for arms in judged.values() for runs in arms.values() for run in runs})
    caption = (
        "Strict accuracy over pairs with a 95 % interval; Δ: paired item by item, BCa bootstrap over clusters, without "
        f"correction (the tables of each benchmark have Holm's p). Commit: {', '.join(commits)}."
    )
    return Frame("learning_curve", "Learning curve", caption, tuple(columns), tuple(rows))


def _cells(benchmark: str, runs: Sequence[FinishedRun], base: Sequence[FinishedRun]) -> list[Cell]:
    if not runs:
        return [empty("not run")] * 3
    items = runs[0].items
    clusters, weights = [item.cluster for item in items], [item.weight for item in items]
    ours = _mean_by_item(runs)
    rng = stream(runs[0].seed, "learning curve", benchmark, runs[0].judge)
    accuracy = share_interval(ours, rng, weights=weights, clusters=clusters)
    points = [100 * float(np.average(strict_values(run.items), weights=weights)) for run in runs]
    spread = number(statistics.stdev(points) if len(points) > 1 else None, reason="one seed has no spread")
    trace = "; ".join(run.trace for run in runs)
    if not base or base[0].run_id == runs[0].run_id:
        return [_interval(accuracy, trace), spread, empty("the baseline" if base else "no run of the baseline")]
    rng = stream(runs[0].seed, "learning curve", benchmark, runs[0].judge, "difference")
    gap = paired_difference(ours, _mean_by_item(base), rng, weights=weights, clusters=clusters)
    return [_interval(accuracy, trace), spread, _interval(gap, trace, sign=True)]


def _mean_by_item(runs: Sequence[FinishedRun]) -> list[float]:
    credits = [dict(zip((i.item for i in run.items), strict_values(run.items), strict=True)) for run in runs]
    return [statistics.fmean(of_run[item.item] for of_run in credits) for item in runs[0].items]


def _interval(interval: Interval, trace: str, sign: bool = False) -> Cell:
    if interval.point is None:
        return empty(interval.reason, trace)
    text = decimal(100 * interval.point, 1, sign)
    if interval.low is None or interval.high is None:
        return Cell(text, f"[{DASH}]", f"no interval: {interval.reason}", trace, 100 * interval.point)
    ends = ", ".join(decimal(100 * end, 1, sign) for end in (interval.low, interval.high))
    return Cell(text, f"[{ends}]", trace=trace, value=100 * interval.point)
