"""The results: what every arm scores, and how far it is from the baseline.

Bold marks a difference that survives Holm's correction, and nothing else; any other tested difference says "n.s.".
Percentages have one decimal, p-values three. The chance row is always there.
"""

from __future__ import annotations

from dataclasses import replace

from rewardlab.report.comparison import LEVEL, Arm, Comparison, Difference, Role
from rewardlab.report.frame import Cell, Column, Frame, empty, number, p_value, percent, with_interval

SCORES = (
    Column("arm", "the judge", numeric=False),
    Column("n", "items / independent clusters"),
    Column("strict % [95 % CI]", "an item without a verdict earns nothing"),
    Column("official % [95 % CI]", "by the benchmark's upstream rule, quirks included"),
)
MISSING = (
    Column("without verdict", "items without any verdict", brief=False),
    Column("if excluded %", "strict score over items with a verdict only", brief=False),
    Column("if right %", "strict score if every missing verdict had been right", brief=False),
)


def results(comparison: Comparison) -> Frame:
    """Score of every arm and, where there is a baseline, the difference to it."""
    columns = (*SCORES, *(_difference_columns(comparison.baseline) if comparison.has_baseline else ()), *MISSING)
    rows = [_row(arm, comparison) for arm in comparison.arms]
    floor = () if any(arm.run.is_blind for arm in comparison.arms) else (_no_floor(len(columns)),)
    rows += [*floor, _chance_row(comparison, len(columns))]
    return Frame("results", "Results", _caption(comparison), columns, tuple(rows))


def _difference_columns(base: str) -> tuple[Column, ...]:
    return (
        Column(f"Δ to {base} [95 % CI]", "difference of strict scores on shared items, in points"),
        Column("b/c", f"clusters where the arm did better / where {base} did better"),
        Column("p", "two-sided p of no difference, before correction", brief=False),
        Column("p (Holm)", "p after Holm's correction within the main family"),
        Column("MDE", "smallest difference, in points, found with power 0.8 at Holm's first step"),
        Column("test", "how p was computed", brief=False, numeric=False),
    )


def _row(arm: Arm, comparison: Comparison) -> tuple[Cell, ...]:
    trace = arm.run.trace
    bounds = arm.run.metrics.get("missing_verdicts", {})
    composite = "" if bounds else "a composite, which is no mean of item grades"
    return (
        Cell(arm.label, trace=trace),
        Cell(f"{arm.strict.n}/{arm.strict.clusters}", trace=trace, value=arm.strict.n),
        with_interval(arm.strict, trace=trace),
        with_interval(arm.official, trace=trace),
        *(_difference_cells(arm, comparison) if comparison.has_baseline else ()),
        number(arm.run.metrics["no_verdict_items"], 0, trace=trace),
        percent(bounds.get("excluded"), reason=composite or "no item has a verdict", trace=trace),
        percent(bounds.get("best"), reason=composite, trace=trace),
    )


def _difference_cells(arm: Arm, comparison: Comparison) -> tuple[Cell, ...]:
    """Difference, b/c, p, Holm's p, MDE and test."""
    difference = arm.difference
    if difference is None:
        return tuple(empty("the baseline") for _ in range(6))
    test, trace = difference.test, f"{arm.run.trace}; {comparison.run.trace}"
    gap = with_interval(difference.interval, True, _unshared(difference, comparison), trace)
    mde = difference.mde
    return (
        replace(gap, bold=difference.holds),
        Cell(f"{test.b}/{test.c}", trace=trace, value=test.b - test.c) if test.p is not None else empty(test.reason),
        p_value(test.p, test.reason, trace),
        _holm(arm, difference, trace),
        percent(mde.value, reason=mde.reason, trace=trace),
        Cell(test.method),
    )


def _holm(arm: Arm, difference: Difference, trace: str) -> Cell:
    if arm.role is Role.NO_MODEL:
        return empty("no model: outside the family of tests")
    return p_value(difference.adjusted, difference.test.reason, trace, difference.holds)


def _unshared(difference: Difference, comparison: Comparison) -> str:
    if not (difference.only_arm or difference.only_baseline):
        return ""
    sides = (
        ("only by the arm", difference.only_arm),
        (f"only by {comparison.baseline}", difference.only_baseline),
    )
    apart = [f"{len(items)} {by} ({_some(items)})" for by, items in sides if items]
    return f"on the {difference.interval.n} items that both judged; judged {' and '.join(apart)}"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _no_floor(length: int) -> tuple[Cell, ...]:
    """The row that says that the content-blind floor is missing; a table without it would not show that it is."""
    why = "not run here: evaluate.py with judge=first, longest, shortest or random and model=none"
    return (Cell("content-blind"), Cell(""), *(empty(why) for _ in range(length - 2)))


def _chance_row(comparison: Comparison, length: int) -> tuple[Cell, ...]:
    chance = comparison.chance
    official = empty("what guessing earns under the upstream rule is seen in the row random, where it was run")
    cells = (Cell("chance"), Cell(""), percent(chance.value, reason=chance.reason), official)
    return cells + (Cell(""),) * (length - len(cells))


def _caption(comparison: Comparison) -> str:
    run = comparison.run
    methods = dict.fromkeys(arm.strict.method for arm in comparison.arms if arm.strict.method)
    sentences = [
        f"{run.dataset}, protocol {run.protocol}, seed {run.seed}. {comparison.provenance}",
        f"Official: {run.metrics['formula']}. Strict: weighted mean over items of the share of judgments that are "
        "right, nothing for one without a verdict.",
        f"n: items/clusters. Interval of a score: {', '.join(methods) or 'none'}.",
    ]
    if comparison.has_baseline:
        sentences.append(_about_differences(comparison))
    return " ".join(sentences)


def _about_differences(comparison: Comparison) -> str:
    tests = dict.fromkeys(arm.difference.test.method for arm in comparison.arms if arm.difference)
    family = f"{comparison.family} {'test' if comparison.family == 1 else 'tests'}"
    return (
        "Δ: paired, in points, with a BCa bootstrap interval over clusters; "
        f"b/c: clusters where the arm / {comparison.baseline} did better; p: {', '.join(tests) or 'no test'}, Holm "
        f"over {family} (arms with a model). Bold: Holm p < {LEVEL}; n.s.: not. MDE: difference found with power 0.8."
    )
