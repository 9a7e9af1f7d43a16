"""Best of N: what the selected candidates are worth, what was left undecided, and curves over N.

Judges that selected from the same candidates stand in one table of each kind. References (a random candidate, the
first, the majority, the oracle) are rows beside the judges' ways of selecting; only these are tested, Holm over all of
the table, one family for each reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rewardlab.evaluation.finished import FinishedRun
from rewardlab.report.comparison import LEVEL
from rewardlab.report.frame import Cell, Column, Frame, empty, number, p_value, percent, with_interval
from rewardlab.stats import Interval, holm

_RESULTS = """{benchmark}, protocol {protocol}: {prompts} prompts of up to {candidates} candidates, {left_out} left out
for want of a score. {first}random: a uniform draw; majority, weighted: votes, plain and by score; score: the best
scored; oracle: the best. Selected: {formula}. Δ: paired, in points; p: Holm over {family} judged rows, one family for
each reference; bold: p < 0.05; n.s.: not. Gap closed: share of the way from random to oracle; helpfulness: that from
pass@1."""
_COSTS = """Worst, best: % selected if every undecided prompt had the worst, or the best, candidate that could still
have won; excluded: without them. Drawn: matches that a seeded draw decided. The rest is for one prompt; tokens: prompt
and completion."""
_CURVES = """% selected from N candidates. Means over all subsets of N for random, score and oracle, and for votes,
which take 2,000 seeded ones where there are more; a knockout looks at the first N of one seeded order."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A way of selecting.

    Attributes:
        label: What the row is called.
        arm: Its figures, p adjusted over the table.
        run: Where it comes from.
    """

    label: str
    arm: Mapping[str, Any]
    run: FinishedRun


def alike(runs: Sequence[FinishedRun]) -> list[list[FinishedRun]]:
    """Runs in groups that selected from the same candidates under the same protocol."""
    groups: dict[tuple[tuple[str, str], ...], list[FinishedRun]] = {}
    for run in runs:
        fields = {k: v for k, v in run.identity.items() if k.startswith("data.") or k in ("seed", "protocol", "limit")}
        groups.setdefault(tuple(sorted({**fields, "prompts": str(run.metrics["prompts"])}.items())), []).append(run)
    return list(groups.values())


def best_of_n(runs: Sequence[FinishedRun]) -> tuple[Frame, Frame, Frame]:
    """Results, bounds and cost, and curves of selection runs.

    Args:
        runs: At least one, of one group of `alike`.
    """
    rows = _rows(runs)
    return _results(rows), _costs(rows), _curves(rows)


def _rows(runs: Sequence[FinishedRun]) -> list[_Row]:
    """References first, then the rules of each judge, the oracle last."""
    references = [_Row(arm["name"], arm, runs[0]) for arm in runs[0].metrics["selections"] if not arm["judged"]]
    times = Counter(run.judge for run in runs)
    judged = []
    for run in runs:
        name = run.judge if times[run.judge] == 1 else f"{run.judge} {run.run_id}"
        judged += [_Row(f"{name}: {arm['name']}", arm, run) for arm in run.metrics["selections"] if arm["judged"]]
    for key in ("minus_random", "minus_pass@1"):
        tested = [i for i, row in enumerate(judged) if key in row.arm]
        for i, p in zip(tested, holm([judged[i].arm[key]["p"] for i in tested]), strict=True):
            arm = judged[i].arm
            judged[i] = replace(judged[i], arm={**arm, key: {**arm[key], "adjusted": p}})
    return [*references[:-1], *judged, references[-1]]


def _frame(
    kind: str, caption: str, columns: Sequence[Column], rows: Sequence[_Row], cells: Sequence[Sequence[Cell]]
) -> Frame:
    named = tuple((Cell(row.label, trace=row.run.trace), *of_row) for row, of_row in zip(rows, cells, strict=True))
    runs = {row.run.run_id: row.run for row in rows}.values()
    title = f"{kind}: {', '.join(dict.fromkeys(run.judge for run in runs))} on {rows[0].run.benchmark}"
    heads = (Column("selection", numeric=False), *columns)
    models = ", ".join(sorted({run.model for run in runs if run.model})) or "none"
    of_runs = "; ".join(f"{run.judge} {run.run_id}, commit {run.commit}" for run in runs)
    source = f" Model as reported: {models}. Runs: {of_runs}."
    return Frame(kind.lower().replace(" ", "-"), title, " ".join(caption.split()) + source, heads, named)


def _results(rows: Sequence[_Row]) -> Frame:
    metrics = rows[0].run.metrics
    first = f"pass@1: {metrics['first']}; " if metrics["first"] else ""
    columns = ["selected % [95 % CI]", "Δ random", "p random", "Δ pass@1", "p pass@1", "gap closed %", "helpfulness %"]
    keys = ["selected", "minus_random", "minus_pass@1", "gap_closed", "helpfulness"]
    cells = [[cell for key in keys for cell in _interval(row.arm, key, row.run.trace)] for row in rows]
    family = sum(row.arm["judged"] for row in rows)
    caption = _RESULTS.format(**dict(metrics) | {"first": first, "family": family})
    return _frame("Best of N", caption, [Column(title) for title in columns], rows, cells)


def _costs(rows: Sequence[_Row]) -> Frame:
    columns = ["undecided", "excluded %", "worst %", "best %", "drawn", "judgments", "calls", "tokens"]
    cells = []
    for row in rows:
        arm, cost, trace = row.arm, row.arm["per_prompt"], row.run.trace
        shares = [percent(arm[k], reason="no prompt is decided", trace=trace) for k in ("excluded", "worst", "best")]
        spent = [number(cost["judgments"], trace=trace), number(cost["calls"], trace=trace)]
        tokens = number(cost["prompt_tokens"] + cost["completion_tokens"], 0, trace=trace)
        undecided, drawn = number(arm["undecided"], 0, trace=trace), number(arm["drawn"], 0, trace=trace)
        cells.append([undecided, *shares, drawn, *spent, tokens])
    return _frame("Bounds and cost", _COSTS, [Column(title) for title in columns], rows, cells)


def _curves(rows: Sequence[_Row]) -> Frame:
    sizes = sorted({int(size) for row in rows for size in row.arm["curve"]})
    why = "only for the whole pool"
    cells = [
        [percent(row.arm["curve"].get(str(size)), reason=why, trace=row.run.trace) for size in sizes] for row in rows
    ]
    return _frame("Curves over N", _CURVES, [Column(f"N = {size}") for size in sizes], rows, cells)


def _interval(arm: Mapping[str, Any], key: str, trace: str) -> Iterator[Cell]:
    """The cell of a share with its interval and, for a difference, the one of its p."""
    found, sign = arm.get(key), key.startswith("minus_")
    if found is None or found["point"] is None:
        yield empty(found["reason"] if found else "nothing to compare", trace)
        yield from [empty("nothing to compare")] * sign
        return
    p = found.get("adjusted")
    holds = p is not None and p < LEVEL
    bare = {name: found[name] for name in Interval._fields}
    yield replace(with_interval(Interval(**bare), sign, trace=trace), bold=holds)
    if sign:
        yield p_value(p, "a reference: outside the family of tests", trace, None if p is None else holds)
