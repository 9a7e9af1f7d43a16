"""Figures of a comparison: accuracy and paired differences, budget, position, flips, reliability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from rewardlab.report.canvas import GREY, INK, Drawing, canvas, plain_numbers
from rewardlab.report.comparison import Arm, Comparison, Role
from rewardlab.stats import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = {Role.BASELINE: "s", Role.MODEL: "o", Role.NO_MODEL: "D"}
_FRONT: Any = {"color": GREY, "linewidth": 1, "linestyle": ":"}


def figures(comparison: Comparison) -> dict[str, Drawing]:
    """Every figure of a comparison that has something to show.

    Returns:
        Name to drawing.
    """
    drawn = {"accuracy": accuracy(comparison)}
    if len({_tokens(arm) for arm in comparison.arms} - {0.0}) > 1:
        drawn["budget"] = budget(comparison)
    if any(arm.run.first_chosen is not None for arm in comparison.arms):
        drawn["position"] = position(comparison)
    if any(arm.difference is not None for arm in comparison.arms):
        drawn["flips"] = flips(comparison)
    if any("calibration" in arm.run.metrics for arm in comparison.arms):
        drawn["reliability"] = reliability(comparison)
    return drawn


def accuracy(comparison: Comparison) -> Drawing:
    """Strict score of every arm with its interval, next to chance; beside it the differences to the baseline."""
    arms = comparison.arms
    width = 8.4 if comparison.has_baseline else 5.0
    with _canvas(comparison, "accuracy", len(arms), width) as (figure, save):
        left, *others = figure.subplots(1, 2 if comparison.has_baseline else 1, sharey=True, squeeze=False)[0]
        for y, arm in enumerate(arms):
            _bar(left, y, arm, arm.strict, filled=True)
        if comparison.chance.value is not None:
            left.axvline(100 * comparison.chance.value, color=GREY, linestyle="--", linewidth=1)
            left.set_title(f"dashed: chance, {100 * comparison.chance.value:.1f} %", color=GREY)
        left.set_yticks(range(len(arms)), [arm.label for arm in arms])
        left.set_ylim(len(arms) - 0.5, -0.5)
        left.set_xlabel("strict score, % (95 % interval)")
        for right in others:
            _forest(right, comparison)
        return save()


def _forest(axes: Any, comparison: Comparison) -> None:
    """The paired differences to the baseline, an arm a line."""
    for y, arm in enumerate(comparison.arms):
        if arm.difference is not None:
            _bar(axes, y, arm, arm.difference.interval, filled=arm.difference.holds)
    axes.axvline(0, color=GREY, linestyle="--", linewidth=1)
    axes.set_title("filled: survives Holm", color=GREY)
    axes.set_xlabel(f"Δ to {comparison.baseline}, points (95 % interval)")
    axes.tick_params(left=False)


def budget(comparison: Comparison) -> Drawing:
    """Strict score against tokens a judgment, for the arms that used any, and the best score for so many tokens."""
    arms = sorted((arm for arm in comparison.arms if _tokens(arm) and arm.strict.point is not None), key=_tokens)
    with _canvas(comparison, "budget", max(9, len(comparison.arms)), width=5.0) as (figure, save):
        axes = figure.subplots()
        for arm in arms:
            assert arm.strict.point is not None
            ends = _error(arm.strict, arm.strict.point)
            axes.errorbar(_tokens(arm), 100 * arm.strict.point, yerr=ends, **_mark(arm, filled=True))
        axes.set_xscale("log")
        axes.margins(x=0.15)
        best = list(accumulate((100 * (arm.strict.point or 0.0) for arm in arms), max))
        least, most = axes.get_xlim()
        axes.step([*map(_tokens, arms), most], [*best, best[-1]], where="post", **_FRONT)
        axes.set_xlim(least, most)
        plain_numbers(axes.xaxis)
        axes.set_xlabel("tokens a judgment, sent and received (log scale)")
        axes.set_ylabel("strict score, %")
        if comparison.chance.value is not None:
            axes.axhline(100 * comparison.chance.value, color=GREY, linestyle="--", linewidth=1)
        _name_points(axes, arms)
        return save()


def position(comparison: Comparison) -> Drawing:
    """How often the candidate shown first was chosen, and how often both orders agree."""
    arms = comparison.arms
    with _canvas(comparison, "position", len(arms)) as (figure, save):
        left, right = figure.subplots(1, 2, sharey=True)
        for y, arm in enumerate(arms):
            shares = arm.run.first_chosen, arm.run.metrics["summary"]["both_order_consistency"]
            for axes, share in zip((left, right), shares, strict=True):
                if share is not None:
                    axes.errorbar(100 * share, y, **_mark(arm, filled=True))
        shown = set(comparison.run.choices.values())
        if len(shown) == 1:
            left.axvline(100 / shown.pop(), color=GREY, linestyle="--", linewidth=1)
        left.set_yticks(range(len(arms)), [arm.label for arm in arms])
        left.set_ylim(len(arms) - 0.5, -0.5)
        for axes in (left, right):
            axes.set_xlim(-4, 104)
        left.set_xlabel("first shown was chosen, % (dashed: no bias)")
        right.set_xlabel("both orders chose the same, %")
        right.tick_params(left=False)
        return save()


def flips(comparison: Comparison) -> Drawing:
    """On how many clusters each arm did better, and on how many worse, than the baseline."""
    compared = [(arm, arm.difference.test) for arm in comparison.arms if arm.difference is not None]
    with _canvas(comparison, "flips", len(comparison.arms), width=5.0) as (figure, save):
        axes = figure.subplots()
        for y, (_, test) in enumerate(compared):
            axes.barh(y, test.b, color=INK, height=0.5)
            axes.barh(y, -test.c, color="none", edgecolor=INK, height=0.5)
            for x, count, side in ((test.b, test.b, "left"), (-test.c, test.c, "right")):
                offset = (3 if side == "left" else -3, 0)
                axes.annotate(
                    str(count), (x, y), xytext=offset, textcoords="offset points", ha=side, va="center_baseline"
                )
        furthest = max(1, *(max(test.b, test.c) for _, test in compared))
        axes.set_xlim(-1.2 * furthest, 1.2 * furthest)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(compared)), [arm.label for arm, _ in compared])
        axes.set_ylim(len(compared) - 0.5, -0.5)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.set_xlabel(f"clusters: worse than {comparison.baseline} (open), better (filled)")
        return save()


def reliability(comparison: Comparison) -> Drawing:
    """Accuracy against stated confidence, a panel for each arm that states one; larger points are more choices."""
    arms = [(arm, arm.run.metrics["calibration"]) for arm in comparison.arms if "calibration" in arm.run.metrics]
    across = min(3, len(arms))
    down = -(-len(arms) // across)
    with _canvas(comparison, "reliability", 8 * down, width=2.8 * across) as (figure, save):
        panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
        for panel, (arm, found) in zip(panels, arms, strict=False):
            panel.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1)
            for of_bin in found["bins"]:
                accuracy, share = Interval(**of_bin["accuracy"]), of_bin["n"] / found["n"]
                assert accuracy.point is not None
                mark = _mark(arm, filled=True) | {"markersize": 3 + 7 * share**0.5}
                ends = _error(accuracy, accuracy.point)
                panel.errorbar(100 * of_bin["confidence"], 100 * accuracy.point, yerr=ends, **mark)
            panel.set_title(f"{arm.label}: ECE {100 * found['ece']:.1f}, n {found['n']}", color=INK)
            panel.set_xlim(-4, 104)
            panel.set_ylim(-4, 104)
        for panel in panels[len(arms) :]:
            panel.set_visible(False)
        figure.supxlabel("confidence in its choice, % (dashed: as often right as sure)", fontsize=9, color=INK)
        figure.supylabel("choices that were right, %", fontsize=9, color=INK)
        return save()


def _tokens(arm: Arm) -> float:
    usage = arm.run.usage
    return (usage.prompt_tokens + usage.completion_tokens) / max(1, arm.run.judgments)


def _bar(axes: Any, y: int, arm: Arm, interval: Interval, filled: bool) -> None:
    if interval.point is not None:
        axes.errorbar(100 * interval.point, y, xerr=_error(interval, interval.point), **_mark(arm, filled))


def _error(interval: Interval, point: float) -> list[list[float]] | None:
    if interval.low is None or interval.high is None:
        return None
    return [[100 * max(0.0, point - interval.low)], [100 * max(0.0, interval.high - point)]]


def _mark(arm: Arm, filled: bool) -> dict[str, Any]:
    colour = GREY if arm.role is Role.NO_MODEL else INK
    face = colour if filled else "none"
    return {"marker": _MARKERS[arm.role], "color": colour, "markerfacecolor": face, "markersize": 5, "linewidth": 1.2}


def _name_points(axes: Any, arms: Sequence[Arm]) -> None:
    """Write the arms' names, sorted by tokens, above their intervals, apart where two arms used alike."""
    style = {"transform": axes.transAxes, "rotation": 60, "va": "bottom", "rotation_mode": "anchor"}
    names = [axes.text(0, 1.02, arm.label, **style) for arm in arms]
    apart = 14 * axes.figure.dpi / 72
    for _ in range(2):  # the names take room, which moves the points
        axes.figure.canvas.draw()
        left = -apart
        for arm, name in zip(arms, names, strict=True):
            left = max(left + apart, axes.transData.transform((_tokens(arm), 0))[0])
            name.set_x(axes.transAxes.inverted().transform((left, 0))[0])


def _canvas(
    comparison: Comparison, kind: str, lines: int, width: float = 8.4
) -> AbstractContextManager[tuple[Figure, Callable[[], Drawing]]]:
    """A canvas that the comparison names."""
    run = comparison.run
    data = run.identity.get("data.sha256", "")[:6]
    return canvas(f"{run.dataset} {run.protocol} {run.seed} {data} {kind}", lines, width)
