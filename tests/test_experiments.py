"""The commands, run as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def command(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script, *overrides = arguments
    line = [sys.executable, str(root / "experiments" / script), *overrides]
    return subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=280)


BLIND = ("judge=first", "model=none", "tracking=none")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        pytest.param("judge=dirct", "Did you mean direct", id="option"),
        pytest.param("benchmrk=verifiable", "Did you mean benchmark", id="setting"),
        pytest.param("benchmark.form=best", "Known: pair, pick, rate", id="form"),
        pytest.param("model=none", "set model=embedded, model=endpoint or model=local", id="no_model"),
        pytest.param("skill.path=nowhere", "set skill.path to the folder or the zip", id="no_skill"),
        pytest.param("judge=reread", "judge.source_run has no value; set judge.source_run=", id="no_value"),
        pytest.param("limit=0", "limit=0 asks for no example", id="limit"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence_and_no_traceback(
    root: Path, tmp_path: Path, override: str, message: str
) -> None:
    needs_skill = "skill" in override
    judge = ["judge=skill_standard", "model.concurrency=1"] if needs_skill else []
    judge += [] if override == "model=none" or needs_skill or override.startswith("judge") else list(BLIND)
    done = command(root, "evaluate.py", *judge, "tracking=none", f"results_dir={tmp_path}", override)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_data_say_what_to_set(root: Path, tmp_path: Path) -> None:
    done = command(
        root, "evaluate.py", *BLIND, "benchmark=judgebench", "benchmark.path=nowhere", f"results_dir={tmp_path}"
    )
    assert done.returncode == 2
    assert "set benchmark.path=" in done.stderr


def test_a_broken_row_names_file_line_and_field(root: Path, tmp_path: Path) -> None:
    good = {"question_id": "q1", "query_type": "livebench-math", "prompt": "p", "chosen": "a", "rejected": "b"}
    good["response_model"] = "gpt-4o"
    rows = [good, good | {"question_id": "q2", "prompt": ""}]
    (tmp_path / "gpt.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    place = [f"benchmark.path={tmp_path}", f"results_dir={tmp_path}"]
    done = command(root, "evaluate.py", *BLIND, "benchmark=judgebench", *place)
    assert done.returncode == 2
    assert "gpt.jsonl, row 2, field prompt" in done.stderr


def test_a_named_folder_of_another_run_is_refused(root: Path, tmp_path: Path) -> None:
    common = ("evaluate.py", *BLIND, "benchmark.form=pair", "limit=6", f"run_folder={tmp_path / 'run'}")
    assert command(root, *common).returncode == 0
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    done = command(root, *common, "seed=1")
    assert done.returncode == 2
    assert "seed: stored '0', wanted '1'" in done.stderr
    assert (tmp_path / "run" / "manifest.json").read_bytes() == before


@pytest.mark.model
@pytest.mark.slow
def test_a_small_comparison_end_to_end(root: Path, tmp_path: Path) -> None:
    arms = "profile.arms=[['judge=first','model=none'],['judge=direct']]"
    done = command(root, "reproduce.py", "limit=3", f"results_dir={tmp_path}", arms)
    assert done.returncode == 0, done.stderr
    assert "| always_first" in done.stdout
    assert "| direct" in done.stdout
    folder = tmp_path / "embedded"
    for name in ("table.md", "table.tex", "report.html"):
        assert (folder / name).stat().st_size > 500
    assert (tmp_path / "mlflow.db").exists()
    again = command(root, "reproduce.py", "limit=3", f"results_dir={tmp_path}", arms)
    assert again.stdout == done.stdout
