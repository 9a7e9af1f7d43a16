from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from rewardlab.claims.effect import Effect, difference, figure, mean_of, official
from rewardlab.evaluation.finished import FinishedRun, read_run
from rewardlab.evaluation.loop import LoopThread
from rewardlab.selection.run import Settings, select
from rewardlab.stats import Interval
from rewardlab.verdict import Status
from tests.selection.toy import ToyJudge, toy_jetts

Runs = Mapping[str, FinishedRun]


def ends(effect: Effect) -> tuple[float, float]:
    assert effect.interval.low is not None and effect.interval.high is not None
    return effect.interval.low, effect.interval.high


@pytest.mark.parametrize("judge", ["direct", "skill"])
def test_figures_have_the_points_of_the_metrics(runs: Runs, judge: str) -> None:
    run = runs[judge]
    summary = run.metrics["summary"]
    points = {name: figure(run, name).interval.point for name in ("strict", "official")}
    assert points["strict"] == pytest.approx(run.metrics["strict"]["accuracy"])
    assert points["official"] == pytest.approx(run.metrics["official"]["accuracy"])
    for rate in ("first_position_rate", "both_order_consistency"):
        effect = figure(run, rate)
        assert effect.interval.point == pytest.approx(summary[rate])
        assert effect.interval.n == 40
        low, high = ends(effect)
        assert low < summary[rate] < high


def test_an_official_metric_of_a_group_rests_on_that_group(runs: Runs) -> None:
    group = sorted({item.group for item in runs["direct"].items})[0]
    effect = official(runs["direct"], f"accuracy/{group}")
    assert effect.interval.n == sum(item.group == group for item in runs["direct"].items) == 20
    assert effect.interval.point == pytest.approx(runs["direct"].metrics["official"][f"accuracy/{group}"])


def test_a_metric_that_is_no_mean_of_items_has_no_interval(runs: Runs) -> None:
    metrics = {**runs["direct"].metrics, "official": {"accuracy": 0.123}}
    effect = official(dataclasses.replace(runs["direct"], metrics=metrics), "accuracy")
    assert effect.interval[:3] == (0.123, None, None)
    assert "composite" in effect.interval.reason
    assert effect.detectable(0.5).value is None


def test_a_judge_that_never_varies_gets_the_exact_bound(runs: Runs) -> None:
    unlike = 1 - 0.025 ** (1 / 40)  # Clopper-Pearson of 0 in 40
    half = figure(runs["always_first"], "strict")  # right in one order of every pair
    assert half.interval.point == 0.5
    assert ends(half) == pytest.approx((0.5 - 0.5 * unlike, 0.5 + 0.5 * unlike))
    same = difference(runs["always_first"], runs["always_first"], "strict")
    assert ends(same) == pytest.approx((-unlike, unlike))


def test_always_first_is_all_position(runs: Runs) -> None:
    always = figure(runs["always_first"], "first_position_rate").interval
    never = figure(runs["always_first"], "both_order_consistency").interval
    assert (always.point, never.point) == (1.0, 0.0)
    assert always.low is not None and always.low > 0.9
    assert never.high is not None and never.high < 0.1


def test_a_tool_that_nobody_called_was_used_in_no_judgment(runs: Runs) -> None:
    effect = figure(runs["direct"], "used/use_skill")
    assert effect.interval.point == 0.0 and effect.interval.n == 40
    assert ends(effect)[1] < 0.1


def test_a_difference_is_of_the_items_that_both_judged(runs: Runs) -> None:
    skill = dataclasses.replace(runs["skill"], items=runs["skill"].items[:30])
    effect = difference(skill, runs["direct"], "strict")
    shared = {item.item for item in skill.items}
    ours, theirs = (
        [item.strict or 0.0 for item in run.items if item.item in shared] for run in (skill, runs["direct"])
    )
    assert effect.interval.n == 30
    assert effect.interval.point == pytest.approx(sum(ours) / 30 - sum(theirs) / 30)
    assert effect.test is not None and effect.test.p is not None and effect.test.p < 0.01


def effect_of(point: float, low: float | None, high: float | None) -> Effect:
    return Effect(Interval(point, low, high, 100, 100, "" if low else "no reason"), None)


def test_a_way_of_selecting_rests_on_its_own_items(tmp_path: Path) -> None:
    loop, found = LoopThread(), []
    scores = [[0.0, 1.0, 0.5, 0.2], [1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 1.0]] * 4
    try:
        for failing in ((), ("xxxxxxxxxx 1",)):
            judge = ToyJudge(failing, Status.REFUSED)
            done = select(
                loop, toy_jetts(tmp_path, scores), judge, None, Settings(0), {"failing": failing}, tmp_path / "r"
            )
            found.append(read_run(done.folder))
    finally:
        loop.close()
    good, bad = found
    for run in found:
        for arm in (arm for arm in run.metrics["selections"] if arm["judged"]):
            effect = figure(run, f"select/{arm['name']}").interval
            assert (effect.point, effect.n) == (pytest.approx(arm["selected"]["point"]), 12)
    assert difference(good, bad, "select/score").interval.point == pytest.approx(4 / 12)
    assert figure(good, "select/round_robin").interval[:3] == (None, None, None)  # nobody played one


def test_a_mean_of_figures_has_the_mover_interval() -> None:
    # Equal half widths h of k means give h / sqrt(k) around the mean.
    mean = mean_of([effect_of(0.5, 0.4, 0.6), effect_of(0.7, 0.6, 0.8)])
    assert ends(mean) == pytest.approx((0.6 - 0.1 / math.sqrt(2), 0.6 + 0.1 / math.sqrt(2)))
    # Sides are taken apart: 0.3 and 0.4 below, 0.03 and 0.04 above.
    mean = mean_of([effect_of(0.5, 0.2, 0.53), effect_of(0.5, 0.1, 0.54)])
    assert ends(mean) == pytest.approx((0.25, 0.525))


def test_a_mean_with_a_figure_without_interval_has_none() -> None:
    mean = mean_of([effect_of(0.5, 0.4, 0.6), effect_of(0.7, None, None)])
    assert mean.interval[:3] == (0.6, None, None) and mean.interval.reason == "no reason"
