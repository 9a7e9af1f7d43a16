"""What runs would need, as a dry run measured it."""

from __future__ import annotations

from collections.abc import Sequence

from rewardlab.evaluation.forecast import Forecast, Seconds
from rewardlab.report.frame import Cell, Column, Frame, decimal, empty
from rewardlab.stats.estimates import Interval

UNITS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def forecasts(found: Sequence[Forecast]) -> Frame:
    """One row a run, and their sum where there are several and all of a column is known."""
    columns = (
        Column("benchmark", numeric=False),
        Column("arm", "the judge", numeric=False),
        Column("left", "judgments without a final row, of all that are planned"),
        Column("sample", "judgments that the figures rest on, and those of them without a verdict"),
        Column("calls", "model calls"),
        Column("prompt tokens", "cached ones included"),
        Column("completion tokens", "reasoning included"),
        Column("time", "from full concurrency to that of the sample"),
        Column("cost", "in the currency of the price table"),
    )
    rows = [_row(forecast) for forecast in found]
    if len(found) > 1:
        rows.append(_sum(found))
    caption = (
        "Left to do, extrapolated from a random sample of each run's judgments, with the 95 % interval of the total "
        "(t, finite population; retries included). Time: from the pace of full concurrency, if judgments take no "
        "longer then, to the pace of the sample. The sample's rows are kept and not judged again."
    )
    return Frame("forecast", "What is left would need", caption, columns, tuple(rows))


def _row(forecast: Forecast) -> tuple[Cell, ...]:
    failed = forecast.sample - forecast.status.get("ok", 0)
    statuses = ", ".join(f"{n} {status}" for status, n in forecast.status.items() if status != "ok")
    return (
        Cell(forecast.benchmark),
        Cell(forecast.judge),
        Cell(f"{forecast.remaining:,}/{forecast.planned:,}"),
        Cell(str(forecast.sample), note=f"without a verdict: {statuses}" if failed else ""),
        *(_total(total) for total in (forecast.calls, forecast.prompt_tokens, forecast.completion_tokens)),
        _time(forecast.seconds),
        _total(forecast.cost, digits=2),
    )


def _sum(found: Sequence[Forecast]) -> tuple[Cell, ...]:
    counts = [[getattr(f, name).point for f in found] for name in ("calls", "prompt_tokens", "completion_tokens")]
    costs = [f.cost.point for f in found]
    ends = [[f.seconds.low for f in found], [f.seconds.high for f in found]]
    left, planned = sum(f.remaining for f in found), sum(f.planned for f in found)
    return (
        Cell("all"),
        Cell(""),
        Cell(f"{left:,}/{planned:,}"),
        Cell(str(sum(f.sample for f in found))),
        *(_known(values) for values in counts),
        _time(Seconds(*(None if None in values else sum(v or 0.0 for v in values) for values in ends))),
        _known(costs, digits=2),
    )


def _known(values: Sequence[float | None], digits: int = 0) -> Cell:
    if None in values:
        return empty("not known for every run")
    return Cell(decimal(sum(value or 0.0 for value in values), digits))


def _total(total: Interval, digits: int = 0) -> Cell:
    if total.point is None:
        return empty(total.reason)
    ends = [decimal(end, digits) for end in (total.low, total.high) if end is not None]
    small = f"[{', '.join(ends)}]" if len(set(ends)) > 1 else ""
    note = f"no interval: {total.reason}" if total.low is None else ""
    return Cell(decimal(total.point, digits), small, note, value=total.point)


def _time(seconds: Seconds) -> Cell:
    if seconds.low is None or seconds.high is None:
        return empty("nothing was measured")
    low, high = duration(seconds.low), duration(seconds.high)
    return Cell(low if low == high else f"{low} to {high}", value=seconds.high)


def duration(seconds: float) -> str:
    """One to three figures and a unit.

    >>> duration(0), duration(75), duration(5400), duration(36_000), duration(200_000)
    ('0 s', '75 s', '1.5 h', '10 h', '2.3 d')
    """
    size, unit = next((size, unit) for size, unit in UNITS if seconds >= 1.5 * size or unit == "s")
    return f"{decimal(seconds / size, 0 if seconds >= 10 * size or unit == 's' else 1)} {unit}"
