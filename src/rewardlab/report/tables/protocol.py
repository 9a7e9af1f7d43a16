"""As released against audited: the same judge on the same items, under the released code's rules and under ours.

The gap between the two columns is what the protocol is worth, before any judge is better than another. A judge that
reads nothing shows it best: where released orders put the right answer first, always taking the first is always right.
"""

from __future__ import annotations

from collections.abc import Sequence

from rewardlab.benchmarks.protocol import ItemGrade
from rewardlab.evaluation.finished import FinishedRun
from rewardlab.evaluation.plan import Protocol
from rewardlab.randomness import stream
from rewardlab.report.frame import Cell, Column, Frame, empty, percent, with_interval
from rewardlab.stats import paired_difference


def protocols(runs: Sequence[FinishedRun]) -> Frame | None:
    """A row for each judge that ran under both protocols with equal benchmark, data, model and seed.

    Args:
        runs: Any finished runs.

    Returns:
        None when no judge ran under both.
    """
    released = {_key(run): run for run in runs if run.protocol == Protocol.RELEASED.value}
    audited = {_key(run): run for run in runs if run.protocol == Protocol.AUDITED.value}
    both = sorted(released.keys() & audited.keys())
    if not both:
        return None
    columns = (
        Column("benchmark", numeric=False),
        Column("judge", numeric=False),
        Column("n", "items that both runs judged"),
        Column("released, official %", "the released orders, settings and grading"),
        Column("audited, official %", "both orders, and the upstream grading"),
        Column("audited, strict %", "both orders, and nothing for an item without a verdict"),
        Column("Δ [95 % CI]", "official, released minus audited, on shared items, in points"),
        Column("first, released", "choices that fell on the candidate shown first", brief=False),
        Column("first, audited", "choices that fell on the candidate shown first", brief=False),
        Column("faults", "known faults of the released protocol that touch the benchmark", brief=False, numeric=False),
    )
    caption = (
        "The same judge under both protocols. Δ: official, released minus audited, paired over items, in points, with "
        "a BCa bootstrap interval over clusters; where the headline is a composite, of its item grades."
    )
    rows = tuple(_row(released[key], audited[key]) for key in both)
    return Frame("protocol", "As released against audited", caption, columns, rows)


def _key(run: FinishedRun) -> tuple[str, str, str, str, int, str]:
    return run.dataset, run.judge, run.setting, run.model, run.seed, run.identity.get("data.sha256", "")


def _row(released: FinishedRun, audited: FinishedRun) -> tuple[Cell, ...]:
    trace = f"{released.trace}; {audited.trace}"
    theirs = {item.item: item for item in audited.items}
    shared = [(item, theirs[item.item]) for item in released.items if item.item in theirs]
    composite = "a composite, undefined on these items"
    faults = " ".join(f"{fault['id']}: {fault['text']}" for fault in released.manifest.get("faults", ()))
    shares = (
        (released.metrics["official"], released),
        (audited.metrics["official"], audited),
        (audited.metrics["strict"], audited),
    )
    return (
        Cell(released.dataset),
        Cell(released.judge, trace=trace),
        Cell(str(len(shared)), trace=trace, value=len(shared)),
        *(percent(of[run.metrics["headline"]], reason=composite, trace=run.trace) for of, run in shares),
        _gap(shared, released, trace),
        percent(released.first_chosen, reason=released.why_no_choice, trace=released.trace),
        percent(audited.first_chosen, reason=audited.why_no_choice, trace=audited.trace),
        Cell(faults) if faults else empty("none is known"),
    )


def _gap(shared: Sequence[tuple[ItemGrade, ItemGrade]], released: FinishedRun, trace: str) -> Cell:
    graded = [(a, b) for a, b in shared if a.official is not None and b.official is not None]
    counted = [(a.official, b.official, a.weight, a.cluster) for a, b in graded]
    if not counted:
        return empty("upstream grades no item alone", trace)
    ours, theirs, weights, clusters = zip(*counted, strict=True)
    rng = stream(released.seed, "protocol", released.benchmark, released.judge)
    found = paired_difference(ours, theirs, rng, weights=weights, clusters=clusters)
    return with_interval(found, sign=True, trace=trace)
