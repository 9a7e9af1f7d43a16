"""Learning curves over seeds, with intervals, told apart by line style and not by colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rewardlab.randomness import stream
from rewardlab.report.canvas import GREY, INK, Drawing, canvas
from rewardlab.report.learned import LearnedRun
from rewardlab.stats import Interval
from rewardlab.stats.aggregates import iqm

_STYLES = ("-", "--", ":", "-.")
_DRAWS = 2000  # of each step's interval: a curve has many steps


def learning_curves(title: str, arms: Mapping[str, Sequence[LearnedRun]], shown: Sequence[str]) -> Drawing | None:
    """A panel for each logged number, a line for each arm: interquartile mean over seeds, with a 95 % band.

    Args:
        title: Names the figure.
        arms: Label to the runs of its seeds.
        shown: Names of logged numbers; one that no run logged is left out.

    Returns:
        None when no run logged any of them twice.
    """
    names = [name for name in shown if any(len(run.curve.get(name, ())) > 1 for of in arms.values() for run in of)]
    if not names:
        return None
    with canvas(title, 9, width=4.2 * len(names)) as (figure, save):
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for panel, name in zip(panels, names, strict=True):
            for place, (label, runs) in enumerate(arms.items()):
                steps, points = _points(label, name, runs)
                if not steps:
                    continue
                grey = GREY if place >= len(_STYLES) else INK
                middle = [point.point or 0.0 for point in points]
                panel.plot(steps, middle, _STYLES[place % len(_STYLES)], color=grey, linewidth=1.2, label=label)
                low = [m if p.low is None else p.low for p, m in zip(points, middle, strict=True)]
                high = [m if p.high is None else p.high for p, m in zip(points, middle, strict=True)]
                panel.fill_between(steps, low, high, color=grey, alpha=0.12, linewidth=0)
            panel.set_xlabel("step")
            panel.set_ylabel(name.replace("/", ", ").replace("_", " "))
        panels[0].legend(loc="best", fontsize=8)
        return save()


def _points(label: str, name: str, runs: Sequence[LearnedRun]) -> tuple[list[int], list[Interval]]:
    """The steps that every seed logged, and the interquartile mean over seeds at each."""
    logged = [dict(run.curve.get(name, ())) for run in runs]
    steps = sorted(set.intersection(*(set(of_run) for of_run in logged)))
    found = [
        iqm(np.array([[of_run[step]] for of_run in logged]), stream(0, "curve", label, name, step), draws=_DRAWS)
        for step in steps
    ]
    return steps, found
