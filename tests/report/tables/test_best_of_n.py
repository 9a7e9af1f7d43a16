from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rewardlab.evaluation.finished import FinishedRun, read_run
from rewardlab.evaluation.loop import LoopThread
from rewardlab.report.experiment import read_experiment
from rewardlab.report.tables.best_of_n import alike, best_of_n
from rewardlab.selection.run import Settings, select
from rewardlab.stats import holm
from tests.report.tables.cells import cell
from tests.selection.toy import ToyJudge, toy_jetts

Made = Callable[..., FinishedRun]

SCORES = [[0.0, 1.0, 0.5, 0.2], [1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 1.0]] * 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    place, loop = tmp_path_factory.mktemp("selection"), LoopThread()
    data = toy_jetts(place, SCORES)

    def make(config: str = "toy", limit: int | None = None) -> FinishedRun:
        done = select(loop, data, ToyJudge(), None, Settings(0, limit=limit), {"judge": config}, place / "runs")
        return read_run(done.folder)

    yield make
    loop.close()


@pytest.fixture(scope="module")
def run(made: Made) -> FinishedRun:
    return made()


def test_every_arm_is_a_row_with_its_interval_and_a_trace(run: FinishedRun) -> None:
    frame, costs, curves = best_of_n([run])
    names = [f"toy_judge: {a['name']}" if a["judged"] else a["name"] for a in run.metrics["selections"]]
    for table in (frame, costs, curves):
        assert [row[0].text for row in table.rows] == names
        assert all(run.run_id in x.trace for row in table.rows for x in row if x.value is not None)
    assert cell(frame, "toy_judge: score", "selected % [95 % CI]").text == "100.0"
    assert cell(curves, "random", "N = 1").value == pytest.approx(cell(frame, "random", "selected % [95 % CI]").value)


def test_bold_is_what_survives_holm_and_the_rest_says_so(run: FinishedRun) -> None:
    frame = best_of_n([run])[0]
    tested = [a for a in run.metrics["selections"] if a["judged"]]
    adjusted = dict(zip([a["name"] for a in tested], holm([a["minus_random"]["p"] for a in tested]), strict=True))
    for figures in run.metrics["selections"]:
        name = f"toy_judge: {figures['name']}" if figures["judged"] else figures["name"]
        shown, p = cell(frame, name, "p random"), adjusted.get(figures["name"])
        assert shown.value == p
        assert shown.bold == (p is not None and p < 0.05)
        assert shown.small == ("n.s." if p is not None and p >= 0.05 else "")


def test_judges_of_the_same_candidates_share_a_table_and_a_family_of_tests(run: FinishedRun, made: Made) -> None:
    other = made("another toy")
    assert alike([run, other, made("toy", limit=6)])[0] == [run, other]
    frame = best_of_n([run, other])[0]
    names = [row[0].text for row in frame.rows]
    assert names.count("random") == 1 and names[-1] == "oracle"
    rows = [f"toy_judge {r.run_id}: {a['name']}" for r in (run, other) for a in r.metrics["selections"] if a["judged"]]
    assert names[-1 - len(rows) : -1] == rows and f"over {len(rows)} judged rows" in frame.caption
    one, two = best_of_n([run])[0], frame
    alone, together = (cell(f, n, "p random").value for f, n in ((one, "toy_judge: score"), (two, rows[0])))
    assert alone is not None and together is not None and alone < together <= 2 * alone + 1e-12


def test_selection_runs_are_chapters_and_no_comparison(run: FinishedRun, made: Made) -> None:
    experiment = read_experiment("best_of_n", [run.folder, made("toy", limit=6).folder], "direct")
    assert experiment.sections == () and len(experiment.runs) == 2
    assert len({chapter.title for chapter in experiment.chapters}) == len(experiment.chapters) == 2
    assert [frame.name for frame in experiment.chapters[0].frames] == ["best-of-n", "bounds-and-cost", "curves-over-n"]
