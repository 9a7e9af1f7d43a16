"""Claims beside what our runs show: the paper's numbers in one table, our predictions in another.

Every claim has a row, also where nothing was run; the verdict column is in words, and the page says why beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rewardlab.claims.registry import Claim, Claims, OwnPrediction, PolicyPrediction, Reported
from rewardlab.claims.ruling import Ruling, State
from rewardlab.report.frame import DASH, Cell, Column, Frame, decimal, empty

WHY = (
    Column("why", "what was compared, what is missing, or how the settings differ", brief=False, numeric=False),
    Column("runs", "the runs that it rests on, or that come nearest", brief=False, numeric=False),
)


def reported_claims(claims: Claims, rulings: Sequence[Ruling]) -> Frame:
    """The paper's numbers.

    Args:
        claims: The register, for the faults in the caption.
        rulings: Verdicts on claims of any kind; those on reported numbers are shown.
    """
    columns = (
        Column("claim", numeric=False),
        Column("reported"),
        Column("ours [95 % CI]"),
        Column("verdict", numeric=False),
        Column("source", "where it is printed, and whether it was read there", brief=False, numeric=False),
        Column("faults", "of the protocol behind the number, see the caption", brief=False, numeric=False),
        Column("note", brief=False, numeric=False),
        *WHY,
    )
    chosen = [(ruling, ruling.claim) for ruling in rulings if isinstance(ruling.claim, Reported)]
    rows = tuple(
        (
            Cell(claim.id),
            Cell(decimal(claim.value, _digits(claim)), value=claim.value),
            _ours(ruling),
            Cell(ruling.state.value),
            Cell(f"{claim.source}, {claim.trust}"),
            Cell(", ".join(fault.id for fault in claim.faults)),
            Cell(claim.note),
            *_why(ruling),
        )
        for ruling, claim in chosen
    )
    faults = " ".join(f"{fault.id}: {fault.text}" for fault in claims.faults)
    caption = (
        f"{_counts([ruling for ruling, _ in chosen])} Reproduced: the reported value lies inside our 95 % interval, "
        f"from the same model, setting, data and protocol over all items. {faults}"
    )
    return Frame("claims", "Reported numbers", caption, columns, rows)


def predicted_claims(claims: Claims, rulings: Sequence[Ruling]) -> Frame:
    """Our predictions.

    Args:
        claims: The register, for what was known when they were registered.
        rulings: Verdicts on claims of any kind; those on predictions are shown.
    """
    columns = (
        Column("claim", numeric=False),
        Column("figure", "what is measured, in points; lengths in words", numeric=False),
        Column("predicted"),
        Column("ours [95 % CI]"),
        Column("verdict", numeric=False),
        Column("detectable", "smallest distance from the predicted range found with power 0.8, where inconclusive"),
        Column("p", "paired test of no difference, uncorrected", brief=False),
        Column("n planned", brief=False),
        Column("registered", brief=False, numeric=False),
        Column("reasoning", brief=False, numeric=False),
        *WHY,
    )
    chosen = [(ruling, ruling.claim) for ruling in rulings if isinstance(ruling.claim, OwnPrediction)]
    rows = tuple(
        (
            Cell(claim.id),
            Cell(claim.figure),
            Cell(_range(claim)),
            _ours(ruling),
            Cell(ruling.state.value),
            _detectable(ruling),
            _p(ruling),
            Cell(str(claim.n), value=claim.n),
            Cell(claim.registered.isoformat()),
            Cell(claim.reasoning),
            *_why(ruling),
        )
        for ruling, claim in chosen
    )
    caption = (
        f"{_counts([ruling for ruling, _ in chosen])} Reproduced: our 95 % interval lies within the predicted range; "
        f"contradicted: outside it; inconclusive: neither. {claims.registration}"
    )
    return Frame("predictions", "Predictions", caption, columns, rows)


def _counts(rulings: Sequence[Ruling]) -> str:
    times = Counter(ruling.state for ruling in rulings)
    said = ", ".join(f"{times[state]} {state.value}" for state in State if times[state])
    return f"{len(rulings)} claims: {said}." if rulings else "No claims."


def _digits(claim: Reported) -> int:
    return 1 if claim.metric.endswith("%") else 3


def _unit(claim: Claim) -> tuple[float, int]:
    """What a claim's numbers are multiplied by to be shown, and with how many digits."""
    if isinstance(claim, Reported):
        return (100.0 if claim.metric.endswith("%") else 1.0), _digits(claim)
    in_words = isinstance(claim, PolicyPrediction) and all(term.figure.endswith("/length") for term in claim.terms)
    return (1.0 if in_words else 100.0), 1


def _ours(ruling: Ruling) -> Cell:
    """Our figure in the claim's unit."""
    trace = "; ".join(run.trace for run in ruling.runs)
    if ruling.effect is None or ruling.effect.interval.point is None:
        return empty(ruling.state.value if ruling.effect is None else ruling.effect.interval.reason, trace)
    claim, interval = ruling.claim, ruling.effect.interval
    scale, digits = _unit(claim)
    sign = not isinstance(claim, Reported) and claim.signed
    text = decimal(scale * ruling.effect.interval.point, digits, sign)
    if interval.low is None or interval.high is None:
        return Cell(text, f"[{DASH}]", f"no interval: {interval.reason}", trace, scale * ruling.effect.interval.point)
    ends = ", ".join(decimal(scale * end, digits, sign) for end in (interval.low, interval.high))
    return Cell(text, f"[{ends}]", trace=trace, value=scale * ruling.effect.interval.point)


def _range(claim: OwnPrediction) -> str:
    scale, digits = _unit(claim)
    low, high = (
        None if end is None else decimal(scale * end, digits, claim.signed)
        for end in (claim.predicted.low, claim.predicted.high)
    )
    if low is None or high is None:
        return f"≥ {low}" if high is None else f"≤ {high}"
    return f"{low} to {high}"


def _detectable(ruling: Ruling) -> Cell:
    if ruling.detectable is None:
        return empty("the verdict is not inconclusive")
    if ruling.detectable.value is None:
        return empty(ruling.detectable.reason)
    scale, digits = _unit(ruling.claim)
    return Cell(decimal(scale * ruling.detectable.value, digits), value=scale * ruling.detectable.value)


def _p(ruling: Ruling) -> Cell:
    test = ruling.effect.test if ruling.effect else None
    if test is None:
        return empty("no pair of arms was compared")
    if test.p is None:
        return empty(test.reason)
    return Cell("<0.001" if test.p < 0.001 else decimal(test.p, 3), test.method, value=test.p)


def _why(ruling: Ruling) -> tuple[Cell, Cell]:
    ids = ", ".join(run.run_id for run in ruling.runs)
    return Cell(ruling.why), Cell(ids) if ids else empty("no run")
