from __future__ import annotations

import pytest

from rewardlab.evaluation.finished import FinishedRun, read_run
from rewardlab.evaluation.loop import LoopThread
from rewardlab.report.experiment import read_experiment
from rewardlab.report.tables.best_of_n import best_of_n
from rewardlab.selection.run import Settings, select
from tests.report.tables.cells import cell
from tests.selection.toy import ToyJudge, toy_jetts


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    place = tmp_path_factory.mktemp("selection")
    scores = [[0.0, 1.0, 0.5, 0.2], [1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 1.0]] * 4
    loop = LoopThread()
    try:
        done = select(loop, toy_jetts(place, scores), ToyJudge(), None, Settings(0), {"judge": "toy"}, place / "runs")
    finally:
        loop.close()
    return read_run(done.folder)


def test_every_arm_is_a_row_with_its_interval_and_a_trace(run: FinishedRun) -> None:
    frame, costs, curves = best_of_n(run)
    names = [figures["name"] for figures in run.metrics["selections"]]
    for table in (frame, costs, curves):
        assert [row[0].text for row in table.rows] == names
        assert all(run.run_id in x.trace for row in table.rows for x in row if x.value is not None)
    assert cell(frame, "score", "selected % [95 % CI]").text == "100.0"
    assert cell(curves, "random", "N = 1").value == pytest.approx(cell(frame, "random", "selected % [95 % CI]").value)


def test_bold_is_what_survives_holm_and_the_rest_says_so(run: FinishedRun) -> None:
    frame = best_of_n(run)[0]
    for figures in run.metrics["selections"]:
        shown = cell(frame, figures["name"], "p random")
        p = figures.get("minus_random", {}).get("p_holm")
        assert shown.bold == (p is not None and p < 0.05)
        assert shown.small == ("n.s." if p is not None and p >= 0.05 else "")


def test_a_selection_run_is_a_chapter_and_no_comparison(run: FinishedRun) -> None:
    experiment = read_experiment("best_of_n", [run.folder], "direct")
    assert experiment.sections == () and experiment.runs == ()
    assert [frame.name for frame in experiment.chapters[0].frames] == ["best-of-n", "bounds-and-cost", "curves-over-n"]
