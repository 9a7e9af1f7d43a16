"""Arms compared on one benchmark: every arm against the baseline, item by item.

Arms belong to one comparison when benchmark, data, protocol and seed are equal. Each arm keeps the figures of all its
own items; a difference rests on the items that both arms judged, and says how many there are. Values are strict, so an
item without a verdict counts as no credit.

The main family of Holm's correction holds the arms with a model, each against the baseline. Arms without a model, the
content-blind floor above all, are shown with their differences but are outside the family: they are there to read the
others against, and nobody claims that they win.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rewardlab.benchmarks.protocol import ItemGrade
from rewardlab.errors import UserError
from rewardlab.evaluation.finished import FinishedRun
from rewardlab.randomness import stream
from rewardlab.stats import (
    Estimate,
    Interval,
    PairedTest,
    holm,
    paired_difference,
    paired_mde,
    paired_test,
    share_interval,
)

LEVEL = 0.05  # a difference holds when its adjusted p is below this


class Role(StrEnum):
    """What an arm is in its comparison."""

    BASELINE = "baseline"
    MODEL = "model"
    NO_MODEL = "no model"


@dataclass(frozen=True, slots=True)
class Difference:
    """An arm minus the baseline, on the items that both judged.

    Attributes:
        interval: The difference of the weighted mean strict credit.
        test: The two-sided test; b counts the clusters where the arm did better, c where the baseline did.
        mde: The smallest difference that the comparison could have found.
        adjusted: Holm's p within the main family; None outside it or where there is no p.
        only_arm: Items that the baseline did not judge.
        only_baseline: Items that the arm did not judge.
    """

    interval: Interval
    test: PairedTest
    mde: Estimate
    adjusted: float | None
    only_arm: tuple[str, ...]
    only_baseline: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the difference survives Holm's correction."""
        return self.adjusted is not None and self.adjusted < LEVEL


@dataclass(frozen=True, slots=True)
class Arm:
    """A run in a comparison.

    Attributes:
        label: Its name in tables, unique in the comparison.
        run: The run.
        role: What it is here.
        strict: The strict headline with its interval.
        official: The headline under the upstream rule with its interval.
        difference: Against the baseline; None for the baseline itself and where there is none.
    """

    label: str
    run: FinishedRun
    role: Role
    strict: Interval
    official: Interval
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All arms on one benchmark under one protocol and seed.

    Attributes:
        arms: The baseline first, then the arms with a model, then those without, each sorted by label.
        baseline: Name of the baseline as asked for; the first arm has it, unless no arm does.
        family: How many tests the main family holds.
        chance: Strict headline of a judge that draws a candidate; None with a reason where that is not known.
    """

    arms: tuple[Arm, ...]
    baseline: str
    family: int
    chance: Estimate

    @property
    def run(self) -> FinishedRun:
        """A run that speaks for what all arms share: benchmark, protocol, seed, formula."""
        return self.arms[0].run

    @property
    def provenance(self) -> str:
        """Models, as reported, and commits of the runs, in two sentences for captions."""
        models = sorted({arm.run.model for arm in self.arms if arm.run.model})
        commits = sorted({arm.run.commit for arm in self.arms})
        return (
            f"{'Models' if len(models) > 1 else 'Model'} as reported: {', '.join(models) or 'none'}. "
            f"{'Commits' if len(commits) > 1 else 'Commit'}: {', '.join(commits)}."
        )

    @property
    def has_baseline(self) -> bool:
        """Whether one of the arms is the baseline."""
        return self.arms[0].role is Role.BASELINE


def compare(runs: Sequence[FinishedRun], baseline: str) -> tuple[Comparison, ...]:
    """Put runs side by side, one comparison for each benchmark, data, protocol and seed.

    Args:
        runs: In any order.
        baseline: Label of the baseline arm, or the name of its judge where one arm only has it.

    Returns:
        Sorted by benchmark, protocol and seed. Without the baseline in it, a comparison has no differences.

    Raises:
        UserError: When two runs of one comparison cannot be told apart by judge, setting and model.
    """
    together: dict[tuple[str, str, int, str], list[FinishedRun]] = {}
    for run in sorted(runs, key=lambda run: run.run_id):
        data = ", ".join(f"{k}={v}" for k, v in sorted(run.identity.items()) if k.startswith("data."))
        together.setdefault((run.benchmark, run.protocol, run.seed, data), []).append(run)
    return tuple(_comparison(together[key], baseline) for key in sorted(together))


def _comparison(runs: Sequence[FinishedRun], baseline: str) -> Comparison:
    labelled = dict(zip(_labels(runs), runs, strict=True))
    base = baseline if baseline in labelled else None
    if base is None and [run.judge for run in runs].count(baseline) == 1:
        base = next(label for label, run in labelled.items() if run.judge == baseline)
    family = sum(not run.asks_no_model and label != base for label, run in labelled.items()) if base else 0
    arms = [_arm(label, run, labelled.get(base or ""), base == label, family) for label, run in labelled.items()]
    arms.sort(key=lambda arm: (list(Role).index(arm.role), arm.label))
    return Comparison(_adjusted(arms), baseline, family, chance(runs[0]))


def _labels(runs: Sequence[FinishedRun]) -> list[str]:
    """The judge's name, with setting and model added as far as needed to tell the arms apart."""
    names = [run.judge for run in runs]
    for detail in ([run.setting for run in runs], [run.model or "no model" for run in runs]):
        values: dict[str, set[str]] = {}
        for name, value in zip(names, detail, strict=True):
            values.setdefault(name, set()).add(value)
        names = [f"{n} ({value})" if len(values[n]) > 1 else n for n, value in zip(names, detail, strict=True)]
    for name, times in Counter(names).items():
        if times > 1:
            raise UserError(_alike(name, [run for run, other in zip(runs, names, strict=True) if other == name]))
    return names


def _alike(name: str, runs: Sequence[FinishedRun]) -> str:
    fields = sorted({field for run in runs for field in run.identity})
    differing = [field for field in fields if len({run.identity.get(field) for run in runs}) > 1]
    folders = "\n".join(f"  {run.folder}" for run in runs)
    return (
        f"{len(runs)} runs are all called {name!r} on {runs[0].benchmark}; a table cannot tell them apart:\n{folders}\n"
        f"They differ in {', '.join(differing) or 'nothing'}. Give one of them, or set judge.name for the others."
    )


def _arm(label: str, run: FinishedRun, base: FinishedRun | None, is_base: bool, family: int) -> Arm:
    role = Role.BASELINE if is_base else Role.NO_MODEL if run.asks_no_model else Role.MODEL
    difference = None if base is None or is_base else _difference(label, run, base, max(1, family))
    strict = _strict(run)
    return Arm(label, run, role, strict, _official(run, strict), difference)


def _strict(run: FinishedRun) -> Interval:
    """The strict headline with the interval that the run's own metrics give it."""
    point: float | None = run.metrics["strict"][run.metrics["headline"]]
    stored = run.metrics.get("interval")
    if stored is None or point is None:
        return _bare(point, run)
    return Interval(**stored)


def _official(run: FinishedRun, strict: Interval) -> Interval:
    """The headline under the upstream rule, with the interval of the items whose weighted mean it is."""
    point: float | None = run.metrics["official"][run.metrics["headline"]]
    counted = [(item, item.official) for item in run.items if item.official is not None]
    values, weights = [value for _, value in counted], [item.weight for item, _ in counted]
    mean = math.fsum(v * w for v, w in zip(values, weights, strict=True)) / (math.fsum(weights) or math.nan)
    if point is None or not math.isclose(mean, point, abs_tol=1e-9):
        return _bare(point, run)
    if values == credits(run.items) and strict.low is not None:
        return strict
    clusters = [item.cluster for item, _ in counted]
    return share_interval(values, stream(run.seed, "interval"), weights=weights, clusters=clusters)


def _bare(point: float | None, run: FinishedRun) -> Interval:
    """A headline without an interval, and why."""
    clusters = len({item.cluster for item in run.items})
    reason = "the benchmark gives no value" if point is None else "a composite, which is no mean of item grades"
    return Interval(point, None, None, len(run.items), clusters, reason)


def _difference(label: str, run: FinishedRun, base: FinishedRun, family: int) -> Difference:
    ours, theirs = ({item.item: item for item in r.items} for r in (run, base))
    shared = [name for name in ours if name in theirs]
    first, second = [ours[name] for name in shared], [theirs[name] for name in shared]
    a, b = credits(first), credits(second)
    weights, clusters = [item.weight for item in first], [item.cluster for item in first]
    names = ("difference", run.benchmark, label)
    return Difference(
        interval=paired_difference(a, b, stream(run.seed, *names), weights=weights, clusters=clusters),
        test=paired_test(a, b, stream(run.seed, *names, "test"), weights=weights, clusters=clusters),
        mde=paired_mde(a, b, weights=weights, clusters=clusters, family=family),
        adjusted=None,
        only_arm=tuple(name for name in ours if name not in theirs),
        only_baseline=tuple(name for name in theirs if name not in ours),
    )


def credits(items: Sequence[ItemGrade]) -> list[float]:
    """Strict credit of each item, nothing for an item without a verdict."""
    return [item.strict or 0.0 for item in items]


def _adjusted(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms with Holm's p put into the differences of the main family."""
    raw = [arm.difference.test.p if arm.difference and arm.role is Role.MODEL else None for arm in arms]
    inside = [arm.difference is not None and arm.role is Role.MODEL for arm in arms]
    adjusted = holm(raw, ["main" if member else "outside" for member in inside])
    return tuple(
        replace(arm, difference=replace(arm.difference, adjusted=p)) if arm.difference and member else arm
        for arm, p, member in zip(arms, adjusted, inside, strict=True)
    )


def chance(run: FinishedRun) -> Estimate:
    """Strict headline of a judge that draws a candidate at random: the weighted mean of 1/(candidates shown).

    Args:
        run: Any run of the benchmark, for its items and how many candidates each showed.

    Returns:
        A share; None where items were rated alone, so that chance depends on how the ratings are spread, or where the
        headline is no mean of item grades.
    """
    counts = [run.choices.get(item.item, 1) for item in run.items]
    if not counts or min(counts) < 2:
        return Estimate(None, len(counts), "candidates were rated one at a time" if counts else "no items")
    if "interval" not in run.metrics:
        return Estimate(None, len(counts), "a composite, which is no mean of item grades")
    total = math.fsum(item.weight for item in run.items)
    return Estimate(math.fsum(i.weight / n for i, n in zip(run.items, counts, strict=True)) / total, len(counts))
