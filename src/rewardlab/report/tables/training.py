"""Training: what trained judges and reward models came to, one table for each method.

A row is a configuration; its runs differ in nothing but the seed. Cells are means over seeds with the sample standard
deviation beside them, so a single run says that it has none. Every final number is on the page; tables for print show
those without a "/" in their name, which are not of a group.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from rewardlab.report.frame import Cell, Column, Frame, decimal, empty, number
from rewardlab.report.learned import LearnedRun

_ALWAYS_APART = ("seed", "code", "training_code", "identity_version")
_SHARES = 1.0 + 1e-9  # numbers of a column that never leave [-1, 1] are shown in percent


def training(runs: Sequence[LearnedRun]) -> tuple[Frame, ...]:
    """A table for each method, by name.

    Args:
        runs: Training runs of reward models and judges; their metrics have `method`, `data`, `steps` and `final`.
    """
    by_method: dict[str, list[LearnedRun]] = {}
    for run in sorted(runs, key=lambda run: run.metrics["method"]):
        by_method.setdefault(run.metrics["method"], []).append(run)
    return tuple(_frame(method, of_method) for method, of_method in by_method.items())


def configurations(runs: Sequence[LearnedRun]) -> dict[str, list[LearnedRun]]:
    """Runs by what tells their configurations apart, seeds together and sorted."""
    fields = sorted({field for run in runs for field in run.identity if not _is_incidental(field)})
    differing = [field for field in fields if len({run.identity.get(field) for run in runs}) > 1]
    found: dict[str, list[LearnedRun]] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        named = [
            f"{field.removeprefix('method.')}={run.identity[field]}" for field in differing if field in run.identity
        ]
        found.setdefault(", ".join(named) or "the only one", []).append(run)
    return dict(sorted(found.items()))


def _is_incidental(field: str) -> bool:
    """Whether a part of the identity follows from others: a seed, a count or hash of the data, a hash of code."""
    counted = field.startswith("data.") and field not in ("data.preferences", "data.source")
    return counted or field in _ALWAYS_APART or field.endswith(("seed", "sha256", "_target_"))


def _frame(method: str, runs: Sequence[LearnedRun]) -> Frame:
    groups = configurations(runs)
    names = sorted({name for run in runs for name in run.metrics["final"]}, key=lambda name: ("/" in name, name))
    percent = {name: _in_percent(run.metrics["final"].get(name) for run in runs) for name in names}
    columns = (
        Column("configuration", "what tells it apart from the others of the method", numeric=False),
        Column("seeds"),
        Column("steps"),
        *(Column(f"{name} %" if percent[name] else name, brief="/" not in name) for name in names),
        Column("runs", brief=False, numeric=False),
    )
    rows = tuple(
        (
            Cell(label),
            number(len(of_group), 0),
            number(of_group[0].metrics["steps"], 0, trace=of_group[0].trace),
            *(_mean(name, of_group, percent[name]) for name in names),
            Cell(", ".join(run.run_id for run in of_group)),
        )
        for label, of_group in groups.items()
    )
    data = sorted(
        {f"{run.identity.get('data.preferences') or run.identity.get('data.source', '')}" for run in runs} - {""}
    )
    commits = ", ".join(sorted({run.commit for run in runs}))
    caption = (
        f"Held-out numbers after the last step; nothing is selected by them. Mean over seeds (sample SD). "
        f"Data: {', '.join(data) or 'see the manifests'}. Commits: {commits}."
    )
    return Frame(f"training-{method}", f"Training: {method}", caption, columns, rows)


def _in_percent(values: Iterable[float | None]) -> bool:
    return all(-_SHARES <= value <= _SHARES for value in values if value is not None)


def _mean(name: str, runs: Sequence[LearnedRun], percent: bool) -> Cell:
    values = [run.metrics["final"][name] for run in runs if run.metrics["final"].get(name) is not None]
    trace = "; ".join(run.trace for run in runs)
    if not values:
        return empty("the run gives no such number", trace)
    scale, digits = (100.0, 1) if percent else (1.0, 3)
    mean = scale * statistics.fmean(values)
    small = f"({decimal(scale * statistics.stdev(values), digits)})" if len(values) > 1 else ""
    return Cell(decimal(mean, digits), small, trace=trace, value=mean)
