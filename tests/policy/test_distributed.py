"""Two processes train one policy, each with prompts of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.policy.policies import ROOT, folder, overrides


@pytest.mark.slow
def test_two_processes_train_one_policy(tmp_path: Path) -> None:
    more = ["train=ddp", "train.devices=2", "method.optimisation.batch_size=2", "method.optimisation.epochs=1"]
    toy = ["~reward", "+reward._target_=tests.policy.toys.Letters"]
    command = [
        sys.executable,
        str(ROOT / "experiments" / "train_policy.py"),
        *overrides(folder(tmp_path / "base"), tmp_path, *toy, *more),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=250)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("run folder") == 1  # one process speaks
    (place,) = tmp_path.glob("train_policy/*")
    metrics = json.loads((place / "metrics.json").read_text())
    assert metrics["steps"] == 3  # 12 prompts, 2 in each of 2 processes
    assert metrics["final"]["groups"] == 6  # those of this process
    assert json.loads((place / "manifest.json").read_text())["processes"] == 2
