"""Best of N: what the selected candidates are worth, what was left undecided, and curves over N.

One run gives three tables. References (a random candidate, the first, the majority, the oracle) are rows beside the
judge's arms; only the judge's arms are tested, Holm over them, one family for each reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rewardlab.evaluation.finished import FinishedRun
from rewardlab.report.comparison import LEVEL
from rewardlab.report.frame import Cell, Column, Frame, empty, number, p_value, percent, with_interval
from rewardlab.stats import Interval

_RESULTS = """{benchmark}, judge {judge}, protocol {protocol}: {prompts} prompts of up to {candidates} candidates,
{left_out} left out for want of a score. {first}random: a uniform draw; majority, weighted: votes, plain and by score;
score: the best scored; oracle: the best. Selected: {formula}. Δ: paired, in points; p: Holm over the judge's arms, one
family for each reference; bold: p < 0.05; n.s.: not. Gap closed: share of the way from random to oracle; helpfulness:
that from pass@1."""
_COSTS = """Worst, best: % selected if every undecided prompt had the worst, or the best, candidate that could still
have won; excluded: without them. Drawn: matches that a seeded draw decided. The rest is for one prompt; tokens: prompt
and completion."""
_CURVES = """% selected from N candidates. Means over all subsets of N for random, score and oracle, and for votes,
which take 2,000 seeded ones where there are more; a knockout looks at the first N of one seeded order."""


def best_of_n(run: FinishedRun) -> tuple[Frame, Frame, Frame]:
    """Results, bounds and cost, and curves of a selection run.

    Args:
        run: One whose `selects` is true.
    """
    return _results(run), _costs(run), _curves(run)


def _frame(
    run: FinishedRun, kind: str, caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
) -> Frame:
    arms = run.metrics["selections"]
    named = tuple((Cell(arm["name"], trace=run.trace), *row) for arm, row in zip(arms, rows, strict=True))
    title = f"{kind}: {run.judge} on {run.benchmark}"
    heads = (Column("selection", numeric=False), *columns)
    source = f" Model as reported: {run.model or 'none'}. Run {run.run_id}, commit {run.commit}."
    return Frame(kind.lower().replace(" ", "-"), title, " ".join(caption.split()) + source, heads, named)


def _results(run: FinishedRun) -> Frame:
    metrics = run.metrics
    first = f"pass@1: {metrics['first']}; " if metrics["first"] else ""
    columns = ["selected % [95 % CI]", "Δ random", "p random", "Δ pass@1", "p pass@1", "gap closed %", "helpfulness %"]
    keys = ["selected", "minus_random", "minus_pass@1", "gap_closed", "helpfulness"]
    rows = [[cell for key in keys for cell in _interval(arm, key, run.trace)] for arm in metrics["selections"]]
    caption = _RESULTS.format(**dict(metrics) | {"first": first})
    return _frame(run, "Best of N", caption, [Column(title) for title in columns], rows)


def _costs(run: FinishedRun) -> Frame:
    columns = ["undecided", "excluded %", "worst %", "best %", "drawn", "judgments", "calls", "tokens"]
    rows = []
    for arm in run.metrics["selections"]:
        cost, trace = arm["per_prompt"], run.trace
        shares = [percent(arm[k], reason="no prompt is decided", trace=trace) for k in ("excluded", "worst", "best")]
        spent = [number(cost["judgments"], trace=trace), number(cost["calls"], trace=trace)]
        tokens = number(cost["prompt_tokens"] + cost["completion_tokens"], 0, trace=trace)
        undecided, drawn = number(arm["undecided"], 0, trace=trace), number(arm["drawn"], 0, trace=trace)
        rows.append([undecided, *shares, drawn, *spent, tokens])
    return _frame(run, "Bounds and cost", _COSTS, [Column(title) for title in columns], rows)


def _curves(run: FinishedRun) -> Frame:
    arms = run.metrics["selections"]
    sizes = sorted({int(size) for arm in arms for size in arm["curve"]})
    why = "only for the whole pool"
    rows = [[percent(arm["curve"].get(str(size)), reason=why, trace=run.trace) for size in sizes] for arm in arms]
    return _frame(run, "Curves over N", _CURVES, [Column(f"N = {size}") for size in sizes], rows)


def _interval(arm: Mapping[str, Any], key: str, trace: str) -> Iterator[Cell]:
    """The cell of a share with its interval and, for a difference, the one of its p."""
    found, sign = arm.get(key), key.startswith("minus_")
    if found is None or found["point"] is None:
        yield empty(found["reason"] if found else "nothing to compare", trace)
        yield from [empty("nothing to compare")] * sign
        return
    p = found.get("p_holm")
    holds = p is not None and p < LEVEL
    bare = {name: found[name] for name in Interval._fields}
    yield replace(with_interval(Interval(**bare), sign, trace=trace), bold=holds)
    if sign:
        yield p_value(p, "a reference: outside the family of tests", trace, None if p is None else holds)
