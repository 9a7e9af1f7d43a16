"""The ablation table puts scores, differences and budgets of the other tables side by side, and says what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rewardlab.evaluation.finished import FinishedRun, read_runs
from rewardlab.report.comparison import Comparison, compare
from rewardlab.report.tables.ablation import ablation
from rewardlab.report.tables.costs import costs
from rewardlab.report.tables.results import results
from tests.report.tables.cells import cell

WHOLE = {
    "_target_": "rewardlab.judges.skill.Skill",
    "trigger": "always",
    "package.pool": "full",
    "package._target_": "load_package",
    "setting._args_": '["resource"]',
}


def with_config(run: FinishedRun, setting: str = "resource", **changes: str | None) -> FinishedRun:
    """The run as if its judge had the config of the whole judge with changes; None takes a field away."""
    fields = {**WHOLE, "name": run.judge, **changes}
    config = {f"config.judge.{name}": value for name, value in fields.items() if value is not None}
    return replace(run, setting=setting, identity={**run.identity, **config})


@pytest.fixture
def ablated(folders: list[Path]) -> Comparison:
    runs = {run.judge: run for run in read_runs(folders)}
    none = {"package": "null", "package.pool": None, "package._target_": None}
    other = {"_target_": "rewardlab.judges.direct.Direct", "reasoning": "true", "trigger": None, "package.pool": None}
    (found,) = compare(
        [
            with_config(runs["always_first"], "standard", **other),
            with_config(runs["direct"]),
            with_config(runs["skill"], **{"package.pool": "half_a"}),
            with_config(runs["quiet"], "standard", **none),
            with_config(runs["random"], "standard", **other),
        ],
        "always_first",
    )
    return found


def test_every_arm_says_what_differs_from_the_whole_judge(ablated: Comparison) -> None:
    frame = ablation(ablated)
    assert frame is not None
    assert {row[0].text: row[1].text for row in frame.rows} == {
        "direct": "the whole judge",
        "skill": "pool half_a",
        "quiet": "package null, setting standard",
        "random": "judge Direct, reasoning true, setting standard",
        "always_first": "judge Direct, reasoning true, setting standard",
    }


def test_scores_tests_and_costs_are_those_of_the_other_tables(ablated: Comparison) -> None:
    frame = ablation(ablated)
    assert frame is not None
    (against_whole,) = compare([arm.run for arm in ablated.arms], "direct")
    assert against_whole.baseline != ablated.baseline
    for arm in ("direct", "skill", "quiet", "random"):
        for column in ("strict % [95 % CI]", "Δ to direct [95 % CI]", "b/c", "p (Holm)"):
            assert cell(frame, arm, column) == cell(results(against_whole), arm, column)
        for column in ("calls", "prompt (cached)", "completion", "wall s"):
            assert cell(frame, arm, column) == cell(costs(ablated), arm, column)
    assert all(x.note for row in frame.rows for x in row if x.text == "–")
    assert len(frame.brief().columns) == len(frame.columns)


def test_without_parts_of_a_pool_there_is_no_such_table(comparison: Comparison, ablated: Comparison) -> None:
    assert ablation(comparison) is None
    alone = [arm for arm in ablated.arms if arm.label != "skill"]
    assert ablation(replace(ablated, arms=tuple(alone))) is None


def test_one_judge_with_two_models_is_no_ablation(folders: list[Path]) -> None:
    runs = {run.judge: run for run in read_runs(folders)}
    (tuned,) = compare([with_config(runs["direct"]), with_config(runs["skill"])], "direct")
    assert ablation(tuned) is None
