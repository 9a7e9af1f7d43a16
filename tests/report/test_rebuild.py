from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rewardlab.errors import UserError
from rewardlab.report.rebuild import Rebuilt, rebuild
from rewardlab.report.write import write_report
from tests.report.learned import policy, reward_model


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, folders: list[Path]) -> Path:
    """Results with a compared experiment that has a report, and two of training runs that have none."""
    root = tmp_path_factory.mktemp("rebuild")
    runs = [Path(shutil.copytree(folder, root / "results" / "toy" / folder.name)) for folder in folders[3:]]
    write_report(runs, root / "results" / "toy", "always_first")
    reward_model(root / "results" / "training", 0, 0.7)
    policy(root / "results" / "rl", "rules", 0, 0.3)
    return root


def rebuilt(root: Path, pdf: bool = False) -> Rebuilt:
    return rebuild(root / "results", root / "paper", None, "direct", 5, pdf)


@pytest.fixture(scope="module")
def written(place: Path) -> Rebuilt:
    found = rebuilt(place, pdf=True)
    found.write()
    return found


def test_another_rebuild_finds_every_byte_as_it_is(place: Path, written: Rebuilt) -> None:
    again = rebuilt(place, pdf=True)
    assert again == written and again.stale() == []
    assert any(name.endswith(".pdf") for name in again.local[place / "paper"])


@pytest.mark.parametrize(
    "name",
    [
        "results/toy/table.md",
        "paper/tables/rl-trained-policies-tiny-on-sums-policy-tiny-on-sums.tex",
        "paper/report.html",
    ],
)
def test_a_changed_number_is_stale_and_named(place: Path, written: Rebuilt, name: str) -> None:
    file = place / name
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b"0.", b"9.", 1))
    (line,) = written.stale()
    file.write_bytes(kept)
    assert line.startswith(f"{file}: line ") and "when rebuilt" in line


def test_a_missing_file_is_stale(place: Path, written: Rebuilt) -> None:
    file = place / "paper" / "tables" / "findings.tex"
    kept = file.read_bytes()
    file.unlink()
    assert written.stale() == [f"{file}: is missing"]
    file.write_bytes(kept)


def test_a_table_that_no_run_makes_is_stale_and_goes(place: Path, written: Rebuilt) -> None:
    old = place / "paper" / "tables" / "old-experiment-results.tex"
    old.write_text("77.0")
    assert written.stale() == [f"{old}: nothing in results/ makes it any more"]
    written.write()
    assert not old.exists() and written.stale() == []


def test_a_run_that_goes_makes_every_table_of_it_stale(place: Path, written: Rebuilt, tmp_path: Path) -> None:
    root = Path(shutil.copytree(place, tmp_path / "copy"))
    (gone,) = (root / "results" / "toy").glob("random-*")
    shutil.rmtree(gone)
    stale = "\n".join(rebuilt(root).stale())
    for name in ("results/toy/table.md", "results/toy/table.tex", "results/toy/report.html", "paper/report.html"):
        assert name in stale


def test_a_page_is_made_again_with_the_baseline_that_it_was_made_with(place: Path, written: Rebuilt) -> None:
    assert b'name="baseline" content="always_first"' in written.kept[place / "results" / "toy"]["report.html"]
    assert "Δ to always_first" in (place / "results" / "toy" / "table.md").read_text()


def test_the_paper_has_every_experiment_under_its_name(place: Path, written: Rebuilt) -> None:
    page = (place / "paper" / "report.html").read_text()
    for title in (
        "toy: judgebench pair (audited, seed 0)",
        "training: Trained models, bradley_terry",
        "rl: Trained policies, tiny",
    ):
        assert title in page
    main = (place / "paper" / "tables" / "main.tex").read_text()
    inputs = [line for line in main.splitlines() if line.startswith(r"\input{")]
    assert inputs and all((place / "paper" / f"{line[7:-1]}.tex").is_file() for line in inputs)
    drawn = [line.rsplit("{", 1)[1][:-1] for line in main.splitlines() if r"\includegraphics" in line]
    assert drawn and all((place / "paper" / name).is_file() for name in drawn)


def test_without_runs_there_is_nothing_to_rebuild(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no finished run"):
        rebuild(tmp_path, tmp_path / "paper", None)
