from __future__ import annotations

import logging
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rewardlab.benchmarks.judgebench import JudgeBench
from rewardlab.claims.registry import load_claims
from rewardlab.errors import UserError
from rewardlab.report.write import Report, write_report
from tests.report.finished import model_arm, small_benchmark


@pytest.fixture(scope="module")
def written(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    out = tmp_path_factory.mktemp("report")
    return write_report(folders, out), out


class Page(HTMLParser):
    """Collects what a page loads, and checks that its elements nest."""

    VOID = frozenset({"meta", "input", "br", "hr", "img", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tables = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tables += tag == "table"
        self.loads += [
            value or "" for name, value in attrs if name in ("src", "srcset") or (tag, name) == ("link", "href")
        ]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_file_is_there(written: tuple[Report, Path]) -> None:
    report, out = written
    names = {str(path.relative_to(out)) for path in report.files}
    stem = "figures/judgebench-pair-audited-seed-0"
    figures = {f"{stem}-{name}.svg" for name in ("accuracy", "budget", "position", "flips")}
    traces = {"traces/judgebench-pair-audited-seed-0.js"}
    assert names == {"table.md", "table.tex", "report.html"} | figures | traces
    assert all(path.stat().st_size for path in report.files)


def test_equal_runs_in_any_order_give_equal_bytes(
    written: tuple[Report, Path], folders: list[Path], tmp_path: Path
) -> None:
    report, out = written
    again = write_report(folders[::-1], tmp_path)
    assert again.markdown == report.markdown
    for path in report.files:
        assert (tmp_path / path.relative_to(out)).read_bytes() == path.read_bytes(), path.name


def test_the_terminal_sees_results_and_costs_and_the_file_all_tables(written: tuple[Report, Path]) -> None:
    report, out = written
    assert re.findall(r"^### (\w+)", report.markdown, re.MULTILINE) == ["Results", "Status"]
    headings = re.findall(r"^### (\w+)", (out / "table.md").read_text(), re.MULTILINE)
    assert headings == ["Results", "Status", "Groups", "Runs"]


def test_latex_has_a_labelled_float_for_each_table(written: tuple[Report, Path]) -> None:
    text = (written[1] / "table.tex").read_text()
    labels = re.findall(r"\\label\{tab:judgebench-pair-audited-seed-0-(\w+)\}", text)
    assert labels == ["results", "costs", "groups", "runs"]


def test_the_page_is_whole_and_loads_nothing(written: tuple[Report, Path]) -> None:
    text = (written[1] / "report.html").read_text()
    page = Page(text)
    assert page.open == [] and page.tables == 4
    assert page.loads == [] and "@import" not in text and "fetch(" not in text


def test_the_page_shows_the_main_result_before_any_table(written: tuple[Report, Path]) -> None:
    text = (written[1] / "report.html").read_text()
    assert 0 < text.index("points to direct: better") < text.index("<table>")


def test_texts_are_quoted_beside_the_page_and_never_in_it(
    written: tuple[Report, Path], folders: list[Path], tmp_path: Path
) -> None:
    out = written[1]
    assert "What is 3 + 4?" not in (out / "report.html").read_text()
    assert [path.name for path in (out / "traces").iterdir()] == ["judgebench-pair-audited-seed-0.js"]
    write_report(folders, tmp_path, traces=0)
    assert not (tmp_path / "traces").exists()
    assert (tmp_path / "report.html").read_bytes() == (out / "report.html").read_bytes()


def test_a_baseline_that_is_not_there_is_a_warning_with_the_nearest_name(
    folders: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        write_report(folders, tmp_path, baseline="dirct")
    assert "no run of the baseline 'dirct' on judgebench" in caplog.text and "may be direct" in caplog.text


def test_equal_titles_are_told_apart_by_their_data(folders: list[Path], tmp_path: Path) -> None:
    other = model_arm(tmp_path, small_benchmark(tmp_path / "data", questions=8), "direct", right=0.5)
    report = write_report([*folders, other], tmp_path / "out")
    headings = re.findall(r"^## (.*)", report.markdown, re.MULTILINE)
    assert len(headings) == len(set(headings)) == 2 and all(", data " in heading for heading in headings)
    assert len(report.files) == len(set(report.files)) == 11  # one arm alone has no budget to compare
    ids = re.findall(r'\bid="([^"]+)"', (tmp_path / "out" / "report.html").read_text())
    assert len(ids) == len(set(ids))


def test_several_seeds_get_a_table_of_their_own(
    folders: list[Path], benchmark_of_sums: JudgeBench, tmp_path: Path
) -> None:
    other = model_arm(tmp_path, benchmark_of_sums, "direct", right=0.5, seed=1)
    report = write_report([*folders, other], tmp_path / "out")
    names = {path.name: path.read_text() for path in report.files}
    assert "### Across seeds" in names["table.md"] and r"\label{tab:several-seeds-seeds}" in names["table.tex"]
    assert "Across seeds" in names["report.html"]


def test_nothing_to_report_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished run"):
        write_report([], tmp_path)
    assert not list(tmp_path.iterdir())


def test_claims_stand_beside_the_runs(folders: list[Path], tmp_path: Path, root: Path) -> None:
    claims = load_claims(root / "paper" / "claims.yaml")
    write_report(folders, tmp_path, claims=claims)
    table = (tmp_path / "table.md").read_text()
    assert "### Predictions" in table
    assert "### Reported numbers" in table
    assert "embedded/direct/accuracy" in (tmp_path / "report.html").read_text()
