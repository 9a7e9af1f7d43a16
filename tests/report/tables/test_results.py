from __future__ import annotations

from pathlib import Path

from rewardlab.evaluation.finished import read_run, read_runs
from rewardlab.report.comparison import Comparison, compare
from rewardlab.report.tables.results import results
from tests.report.finished import model_arm
from tests.report.tables.cells import cell


def test_every_number_names_its_run_and_commit(comparison: Comparison) -> None:
    for arm in comparison.arms:
        shown = cell(results(comparison), arm.label, "strict % [95 % CI]")
        assert shown.trace == f"run {arm.run.run_id}, commit {arm.run.commit}, {arm.run.judgments} rows"


def test_scores_are_percentages_with_their_interval(comparison: Comparison) -> None:
    skill = comparison.arms[2].strict
    assert skill.point is not None and skill.low is not None and skill.high is not None
    shown = cell(results(comparison), "skill", "strict % [95 % CI]")
    assert shown.text == f"{100 * skill.point:.1f}"
    assert shown.small == f"[{100 * skill.low:.1f}, {100 * skill.high:.1f}]"


def test_only_what_survives_holm_is_bold_and_the_rest_says_so(comparison: Comparison) -> None:
    frame = results(comparison)
    bold = {(row[0].text, c.title) for row in frame.rows for c, x in zip(frame.columns, row, strict=True) if x.bold}
    assert bold == {("skill", "Δ to direct [95 % CI]"), ("skill", "p (Holm)")}
    assert cell(frame, "quiet", "p (Holm)").small == "n.s."
    assert cell(frame, "skill", "p (Holm)").small == ""


def test_arms_without_a_model_have_a_difference_but_are_outside_the_family(comparison: Comparison) -> None:
    frame = results(comparison)
    assert cell(frame, "random", "p (Holm)").note == "no model: outside the family of tests"
    assert cell(frame, "random", "Δ to direct [95 % CI]").value is not None


def test_a_missing_floor_has_a_row_that_says_how_to_run_it(folders: list[Path]) -> None:
    (found,) = compare(read_runs(folders[:3]), "direct")
    floor = cell(results(found), "content-blind", "strict % [95 % CI]")
    assert floor.text == "–" and "judge=first" in floor.note


def test_the_floor_is_not_missing_where_it_was_run(comparison: Comparison) -> None:
    assert "content-blind" not in [row[0].text for row in results(comparison).rows]


def test_chance_is_always_the_last_row(comparison: Comparison) -> None:
    frame = results(comparison)
    assert [x.text for x in frame.rows[-1][:3]] == ["chance", "", "50.0"]
    assert frame.rows[-1][3].note


def test_without_a_baseline_there_are_no_columns_for_differences(folders: list[Path]) -> None:
    (alone,) = compare(read_runs(folders), "nobody")
    frame = results(alone)
    titles = [column.title for column in frame.brief().columns]
    assert titles == ["arm", "n", "strict % [95 % CI]", "official % [95 % CI]"]
    assert "Holm" not in frame.caption


def test_unshared_items_are_a_note_with_the_number_compared(
    comparison: Comparison, benchmark_of_sums: object, tmp_path: Path
) -> None:
    small = read_run(model_arm(tmp_path, benchmark_of_sums, "small", right=0.9, limit=10))  # type: ignore[arg-type]
    (found,) = compare([comparison.arms[0].run, small], "direct")
    note = cell(results(found), "small", "Δ to direct [95 % CI]").note
    assert note.startswith("on the 10 items that both judged; judged 30 only by direct (gpt/pair_")


def test_the_caption_says_how_numbers_are_made(comparison: Comparison) -> None:
    caption = results(comparison).caption
    run = comparison.run
    for part in (run.metrics["formula"], "seed 0", "scripted-model", run.commit, "Holm over 2 tests", "sign-flip"):
        assert part in caption
