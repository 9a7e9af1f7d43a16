from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rewardlab.errors import BadData, MissingRequirement, UserError
from rewardlab.evaluation.finished import finished_folders, read_run, read_runs
from rewardlab.store.folder import read_rows
from tests.report.finished import blind_arm, model_arm, small_benchmark


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    parent = tmp_path_factory.mktemp("runs")
    benchmark = small_benchmark(parent / "data")
    arms = [model_arm(parent, benchmark, name, right=0.5) for name in ("direct", "skill")]
    return [*arms, blind_arm(parent, benchmark, "first")]


@pytest.fixture
def folder(folders: list[Path], tmp_path: Path) -> Path:
    """A copy of a finished run, to be spoiled."""
    return Path(shutil.copytree(folders[0], tmp_path / "run"))


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_finished_run_is_read_as_it_was_written(folders: list[Path]) -> None:
    run = read_run(folders[0])
    assert (run.benchmark, run.judge, run.model, run.seed) == ("judgebench", "direct", "scripted-model", 0)
    assert run.judgments == len(list(read_rows(folders[0] / "rows.jsonl.zst"))) == 80
    assert len(run.items) == 40
    assert set(run.choices.values()) == {2}
    assert run.run_id in run.trace and run.commit in run.trace


def test_an_arm_without_model_calls_asks_no_model(folders: list[Path]) -> None:
    assert [run.asks_no_model for run in read_runs(folders)] == [False, False, True]


def test_first_chosen_counts_choices_by_position(folders: list[Path]) -> None:
    direct, _, first = read_runs(folders)
    assert first.first_chosen == 1.0
    assert direct.first_chosen == direct.metrics["summary"]["first_position_rate"]


def test_an_arm_whose_answers_cannot_be_read_says_so_and_not_that_it_rated(tmp_path: Path) -> None:
    run = read_run(model_arm(tmp_path, small_benchmark(tmp_path / "data"), "direct", right=0.5, silent=1.0))
    assert run.first_chosen is None
    assert run.why_no_choice == "no choice could be read"


def test_a_folder_is_read_once(folders: list[Path]) -> None:
    assert len(read_runs([folders[0], folders[0]])) == 1


def test_finished_folders_leaves_out_what_has_no_manifest(folders: list[Path], tmp_path: Path) -> None:
    done, broken = tmp_path / "a" / "done", tmp_path / "a" / "broken"
    shutil.copytree(folders[0], done)
    shutil.copytree(folders[1], broken)
    (broken / "manifest.json").unlink()
    (tmp_path / "copy").mkdir()
    shutil.copy(done / "manifest.json", tmp_path / "copy" / "manifest.json")
    assert finished_folders(tmp_path) == [done]


def test_an_unfinished_run_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(MissingRequirement, match="no finished run"):
        read_run(folder)


def test_broken_json_is_named(folder: Path) -> None:
    (folder / "metrics.json").write_text("{")
    with pytest.raises(BadData, match=r"metrics\.json"):
        read_run(folder)


def test_a_manifest_without_a_field_is_named(folder: Path) -> None:
    change(folder / "manifest.json", lambda manifest: manifest.pop("git_commit"))
    with pytest.raises(BadData, match="git_commit"):
        read_run(folder)


@pytest.mark.parametrize("name", ["metrics.json", "rows.jsonl.zst"])
def test_files_of_another_run_are_refused(folder: Path, folders: list[Path], name: str) -> None:
    other = folders[1]
    if name == "rows.jsonl.zst":  # as many rows would be no difference
        change(folder / "manifest.json", lambda manifest: manifest.update(judgments=81))
    shutil.copy(other / name, folder / name)
    with pytest.raises(UserError, match="mixes files of different runs"):
        read_run(folder)


def test_an_edited_identity_is_refused(folder: Path) -> None:
    change(folder / "manifest.json", lambda manifest: manifest["identity"].update(seed="1"))
    with pytest.raises(UserError, match="the run id of its identity"):
        read_run(folder)


def test_an_identity_file_of_another_run_is_refused(folder: Path, folders: list[Path]) -> None:
    shutil.copy(folders[1] / "identity.json", folder / "identity.json")
    with pytest.raises(UserError, match=r"identity\.json"):
        read_run(folder)
