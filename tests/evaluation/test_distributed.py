from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from rewardlab.errors import UserError
from rewardlab.evaluation.profile import run_profile
from rewardlab.evaluation.session import Session
from rewardlab.store.rows import RowStore

SCRIPT = """
import sys
from pathlib import Path
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.run import Settings, evaluate
from tests.evaluation.toy import ToyBenchmark, ToyJudge

judge = ToyJudge(failing=frozenset(sys.argv[3].split(",")))
settings = Settings(seed=0, concurrency=2, devices=int(sys.argv[2]))
run = evaluate(
    LoopThread(), ToyBenchmark({"math": 6, "code": 5}), judge, None, settings, {"judge": "toy"}, Path(sys.argv[1])
)
print(run.judged_now, len(judge.judged))
"""


def judge(script: Path, parent: Path, devices: int, failing: str = "") -> str:
    line = [sys.executable, str(script), str(parent), str(devices), failing]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_give_the_metrics_of_one_and_judge_nothing_twice(root: Path, tmp_path: Path) -> None:
    overrides = ["benchmark.form=pair", "judge=longest", "model=none", "limit=11", "tracking=none"]
    with initialize_config_dir(str(root / "configs"), version_base=None):
        config = compose("evaluate", overrides=[*overrides, f"results_dir={tmp_path / 'one'}"])
    with Session() as session:
        one = session.run(config)
    line = [sys.executable, str(root / "experiments" / "evaluate.py"), *overrides, f"results_dir={tmp_path / 'two'}"]
    done = subprocess.run([*line, "devices=2"], cwd=root, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "(22 judgments made now)" in done.stdout
    two = tmp_path / "two" / "evaluate" / one.folder.name
    for name in ("metrics.json", "items.jsonl.zst"):
        assert (one.folder / name).read_bytes() == (two / name).read_bytes()
    shares = []
    for name in ("rows.sqlite", "rows.rank1.sqlite"):
        with RowStore(two / name) as rows:
            shares.append(rows.finished())
    assert [len(share) for share in shares] == [11, 11]
    assert not shares[0] & shares[1]


def test_devices_do_not_go_with_a_profile(root: Path, tmp_path: Path) -> None:
    arms = "profile.arms=[['judge=first','model=none','devices=2']]"
    with initialize_config_dir(str(root / "configs"), version_base=None):
        config = compose("reproduce", overrides=[f"results_dir={tmp_path}", arms])
        with pytest.raises(UserError, match="one run a command"):
            run_profile(config)


@pytest.mark.slow
def test_what_failed_in_two_processes_is_retried_in_one(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert judge(script, tmp_path / "run", 2, "math-0-0,code-1-0") == "22 11\n"
    assert judge(script, tmp_path / "run", 1) == "4 4\n"
    (folder,) = (tmp_path / "run").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == {"ok": 22}
    assert manifest["usage"]["calls"] == 26
