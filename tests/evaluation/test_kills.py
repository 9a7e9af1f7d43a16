"""`kill -9` at random points of a run against a server, and what resuming makes of it.

A process that has imported everything forks one child for each session of the run, so that twenty kills cost the time
of their judgments and not of twenty starts. Each child is a process of its own, killed by SIGKILL as any other is.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.server import Answer, FaultServer, completion

KILLS, EXAMPLES = 20, 80

NURSERY = """
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import rewardlab.evaluation.module
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.run import Settings, evaluate
from rewardlab.judges.direct import Direct
from rewardlab.models.endpoint import Endpoint
from rewardlab.models.protocol import Sampling
from rewardlab.randomness import stream
from rewardlab.store.rows import RowStore
from tests.evaluation.toy import ToyBenchmark

url, parent, kills, examples = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])

def run(folder):
    model = Endpoint("test-model", [url], stream(0, "endpoint"), concurrency=4)
    judge = Direct(model, reasoning=False, read="text", repairs=0, sampling=Sampling(max_tokens=8))
    benchmark = ToyBenchmark({"math": examples})
    evaluate(LoopThread(), benchmark, judge, model, Settings(seed=0, concurrency=4), {}, folder, folder)

def session(folder, most=10**9):
    "A child that runs, and the end of a pipe through which it names each row that is committed, `most` of them."
    here, there = os.pipe()
    child = os.fork()
    if child:
        os.close(there)
        return child, os.fdopen(here)
    add, told = RowStore.add, []
    def reporting(self, judgment, *times):
        add(self, judgment, *times)
        os.write(there, (judgment.key + chr(10)).encode())
        told.append(judgment.key)
        while len(told) >= most:  # where the parent is slow to kill, so that the run does not end before the last kill
            time.sleep(1)
    RowStore.add = reporting
    with open(os.devnull, "w") as quiet, contextlib.redirect_stderr(quiet):
        run(folder)
    os._exit(0)

draws = stream(0, "kills")
reported, sizes = [], []
for _ in range(kills):
    wanted = int(draws.integers(0, 11))
    child, rows = session(parent / "broken", most=wanted + 2)
    seen = []
    while len(seen) < wanted and (line := rows.readline()):
        seen.append(line.strip())
    time.sleep(float(draws.uniform(0, 0.01 if wanted else 0.2)))
    os.kill(child, signal.SIGKILL)
    ended = os.waitpid(child, 0)[1]
    seen += [line.strip() for line in rows]
    reported += seen
    sizes.append([len(seen), os.WTERMSIG(ended)])
for folder in ("broken", "unbroken"):
    child, rows = session(parent / folder)
    reported += [line.strip() for line in rows] if folder == "broken" else list(rows)[:0]
    assert os.waitpid(child, 0)[1] == 0
print(json.dumps([reported, sizes]))
"""


@pytest.mark.slow
def test_twenty_kills_lose_no_row_judge_none_twice_and_end_like_an_unbroken_run(root: Path, tmp_path: Path) -> None:
    (tmp_path / "nursery.py").write_text(NURSERY)
    answer = Answer(completion("Verdict: A").body, seconds=0.02)
    with FaultServer(lambda n, body: answer) as server:
        line = [sys.executable, str(tmp_path / "nursery.py"), server.url, str(tmp_path), str(KILLS), str(EXAMPLES)]
        environment = {"PYTHONPATH": f"{root / 'src'}:{root}", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(line, capture_output=True, text=True, timeout=280, env=environment)
    assert done.returncode == 0, done.stderr
    reported, sessions = json.loads(done.stdout.splitlines()[-1])
    assert {signal for _, signal in sessions} == {9}
    assert sum(rows > 0 for rows, _ in sessions) >= KILLS // 2
    stored = [key for (key,) in sqlite3.connect(tmp_path / "broken" / "rows.sqlite").execute("SELECT key FROM rows")]
    assert len(stored) == len(set(stored)) == 2 * EXAMPLES
    assert sorted(reported) == sorted(stored)
    for name in ("metrics.json", "items.jsonl.zst"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "unbroken" / name).read_bytes()
