"""Sweeps (-m): every launcher, what becomes of jobs that fail, and finished jobs that are not run again."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from rewardlab import entry
from rewardlab.errors import MissingRequirement
from rewardlab.evaluation.session import Session
from rewardlab.report.write import write_report

LAUNCHERS = {
    "basic": "hydra",
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
    "ray": "ray",
}

# A main without anything heavy: it says that it ran, and ends with the status that its limit names.
SCRIPT = """
import os
import sys
import time
from pathlib import Path

from rewardlab.entry import in_sweep, main
from rewardlab.errors import UserError

@main("evaluate")
def job(config):
    Path(config.results_dir, f"{config.seed}-{config.limit}").write_text(f"{in_sweep()} {os.getpid()}")
    if config.limit == 2:
        raise UserError("two is not to be had")
    if config.limit == 3:
        time.sleep(0.2)
        raise Stop("asked to stop")
    return config.limit

class Stop(UserError):
    exit_status = 130

job()
"""


def sweep(root: Path, folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(SCRIPT)
    (folder / "ran").mkdir(exist_ok=True)
    line = [sys.executable, str(folder / "script.py"), "-m", f"results_dir={folder / 'ran'}", *overrides]
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "RAY_DISABLE_MEMORY_MONITOR": "1"}
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=280, env=environment)


@pytest.mark.parametrize("launcher", [pytest.param(n, marks=pytest.mark.slow) for n in LAUNCHERS])
def test_every_job_runs_and_a_failed_one_ends_the_sweep_with_a_sentence(
    root: Path, tmp_path: Path, launcher: str
) -> None:
    if importlib.util.find_spec(LAUNCHERS[launcher]) is None:
        pytest.skip(f"the launcher {launcher} is not installed")
    done = sweep(root, tmp_path, f"hydra/launcher={launcher}", "seed=0,1", "limit=0,2")
    ran = {path.name: path.read_text().split() for path in (tmp_path / "ran").iterdir()}
    assert sorted(ran) == ["0-0", "0-2", "1-0", "1-2"]
    assert {sweeping for sweeping, _ in ran.values()} == {"True"}
    assert (len({process for _, process in ran.values()}) > 1) == (launcher != "basic")
    assert done.returncode == 1
    assert "two is not to be had" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sweep_whose_jobs_all_succeed_ends_well_and_leaves_no_folders_of_its_own(root: Path, tmp_path: Path) -> None:
    assert sweep(root, tmp_path, "seed=0,1", "limit=0").returncode == 0
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["multirun.yaml"]


def test_a_job_that_is_asked_to_stop_ends_the_sweep(root: Path, tmp_path: Path) -> None:
    done = sweep(root, tmp_path, "seed=0,1", "limit=3")
    assert done.returncode == 130
    assert [path.name for path in (tmp_path / "ran").iterdir()] == ["0-3"]
    assert "Traceback" not in done.stderr


def test_a_launcher_that_is_not_installed_says_what_to_install(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(entry.LAUNCHERS, "ray", ("nowhere.at.all", "ray"))
    with pytest.raises(MissingRequirement, match=r"pip install 'rewardlab\[ray\]'"):
        entry.check_overrides(["hydra/launcher=ray"], "evaluate")


@pytest.mark.slow
def test_finished_jobs_of_a_sweep_are_skipped(root: Path, tmp_path: Path) -> None:
    overrides = ["judge=first", "limit=4", "model=none", "tracking=none", f"results_dir={tmp_path}"]
    with initialize_config_dir(str(root / "configs"), version_base=None):
        config = compose("evaluate", overrides=overrides)
    with Session() as session:
        run = session.run(config)
    write_report([run.folder], run.folder)
    line = [sys.executable, str(root / "experiments" / "evaluate.py"), "-m", *overrides]
    line.append(f"hydra.sweep.dir={tmp_path}/sweep")
    done = subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert f"finished before: {run.folder}" in done.stdout
