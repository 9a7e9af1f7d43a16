from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rewardlab.errors import IdentityMismatch
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.run import Run, Settings, evaluate
from rewardlab.judges.protocol import Judge
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.store.folder import read_items, read_rows
from rewardlab.store.rows import RowStore
from rewardlab.task import Task
from rewardlab.verdict import Verdict
from tests.evaluation.toy import ToyBenchmark, ToyJudge

BENCHMARK = ToyBenchmark({"math": 6, "code": 4})


def run(
    parent: Path,
    judge: Judge,
    concurrency: int = 4,
    timeout: float | None = None,
    seed: int = 0,
    folder: Path | None = None,
) -> Run:
    settings = Settings(seed=seed, concurrency=concurrency, timeout=timeout)
    loop = LoopThread()
    try:
        return evaluate(loop, BENCHMARK, judge, ScriptedGenerator(), settings, {"judge": "toy"}, parent, folder)
    finally:
        loop.close()


def test_a_run_writes_rows_items_metrics_and_manifest(tmp_path: Path) -> None:
    done = run(tmp_path, ToyJudge())
    assert done.metrics["strict"]["accuracy"] == 1.0
    assert done.metrics["summary"]["both_order_consistency"] == 1.0
    assert done.metrics["summary"]["first_position_rate"] == 0.5
    assert len(list(read_rows(done.folder / "rows.jsonl.zst"))) == 20
    assert len(list(read_items(done.folder / "items.jsonl.zst"))) == 10
    manifest = json.loads((done.folder / "manifest.json").read_text())
    assert manifest["status"] == {"ok": 20}
    assert manifest["usage"]["prompt_tokens"] == 200
    assert manifest["seconds_total"] >= manifest["seconds_first_to_last_call"] > 0
    assert done.judged_now == 20


def test_a_finished_run_is_not_judged_again(tmp_path: Path) -> None:
    first = run(tmp_path, ToyJudge())
    judge = ToyJudge()
    again = run(tmp_path, judge)
    assert (judge.judged, again.judged_now, again.folder) == ([], 0, first.folder)
    assert again.metrics == first.metrics


def test_a_second_start_of_a_finished_run_writes_nothing(tmp_path: Path) -> None:
    first = run(tmp_path, ToyJudge())
    before = {path: path.stat().st_mtime_ns for path in first.folder.glob("*.json*")}
    assert run(tmp_path, ToyJudge()).manifest == first.manifest
    assert {path: path.stat().st_mtime_ns for path in first.folder.glob("*.json*")} == before


def test_a_finished_run_is_graded_again_when_its_metrics_are_out_of_date(tmp_path: Path) -> None:
    first = run(tmp_path, ToyJudge())
    (first.folder / "metrics.json").write_text("{}")
    run(tmp_path, ToyJudge())
    assert json.loads((first.folder / "metrics.json").read_text())["strict"]["accuracy"] == 1.0


def test_failed_judgments_are_retried_and_finished_ones_never(tmp_path: Path) -> None:
    down = frozenset({"math-1-0", "code-2-0"})
    first = run(tmp_path, ToyJudge(failing=down))
    assert first.manifest["status"] == {"endpoint_error": 4, "ok": 16}
    assert first.no_verdict_share == pytest.approx(0.2)
    assert first.metrics["no_verdict_items"] == 2
    assert first.metrics["missing_verdicts"] == {"best": 1.0, "excluded": 1.0, "worst": 0.8}
    judge = ToyJudge()
    second = run(tmp_path, judge)
    assert sorted(judge.judged) == sorted([*down, *down])
    assert second.manifest["status"] == {"ok": 20}
    assert second.manifest["usage"]["calls"] == 24
    assert second.metrics == run(tmp_path / "unbroken", ToyJudge()).metrics


def test_another_seed_is_another_folder(tmp_path: Path) -> None:
    assert run(tmp_path, ToyJudge()).folder != run(tmp_path, ToyJudge(), seed=1).folder


def test_a_folder_of_another_run_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    first = run(tmp_path, ToyJudge())
    before = {path.name: path.read_bytes() for path in first.folder.iterdir() if path.is_file()}
    judge = ToyJudge()
    with pytest.raises(IdentityMismatch, match="seed: stored '0', wanted '1'"):
        run(tmp_path, judge, seed=1, folder=first.folder)
    assert judge.judged == []
    assert {path.name: path.read_bytes() for path in first.folder.iterdir() if path.is_file()} == before


def test_what_a_cache_had_ready_does_not_change_the_metrics(tmp_path: Path) -> None:
    class Cached(ToyJudge):
        async def judge(self, task: Task) -> Verdict:
            verdict = await super().judge(task)
            return replace(verdict, usage=replace(verdict.usage, cached_tokens=len(self.judged)))

    assert run(tmp_path / "a", Cached()).metrics == run(tmp_path / "b", ToyJudge()).metrics


def test_judgments_overlap_up_to_the_limit(tmp_path: Path) -> None:
    judge = ToyJudge(delay=0.05)
    run(tmp_path, judge, concurrency=5)
    assert judge.peak == 5


def test_a_judgment_that_never_ends_becomes_a_timeout(tmp_path: Path) -> None:
    done = run(tmp_path, ToyJudge(hang=frozenset({"math-0-0"})), timeout=0.2)
    assert done.manifest["status"] == {"ok": 18, "timeout": 2}


def test_a_bug_in_a_judge_stops_the_run_and_keeps_what_is_done(tmp_path: Path) -> None:
    class Buggy(ToyJudge):
        async def judge(self, task):  # type: ignore[no-untyped-def]
            if len(self.judged) == 7:
                raise RuntimeError("a bug")
            return await super().judge(task)

    with pytest.raises(RuntimeError, match="a bug"):
        run(tmp_path, Buggy(), concurrency=1)
    (folder,) = tmp_path.iterdir()
    assert not (folder / "manifest.json").exists()
    with RowStore(folder / "rows.sqlite") as rows:
        assert len(rows.finished()) == 7
    judge = ToyJudge()
    assert run(tmp_path, judge).judged_now == 13


CHILD = """
import sys
from pathlib import Path
from tests.evaluation.test_run import *
run(Path(sys.argv[1]), ToyJudge(delay=0.5), concurrency=2)  # 5 s in all, for the signal to come in between
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_a_signal_lets_judgments_end_and_the_run_goes_on_later(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    rows = wait_for_rows(process, tmp_path, 4)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    done = count(rows)
    assert f"stopped after {done} of 20 judgments" in stderr
    assert 4 <= done < 20
    judge = ToyJudge()
    assert run(tmp_path, judge, concurrency=2).judged_now == len(judge.judged) == 20 - done


def wait_for_rows(process: subprocess.Popen[str], parent: Path, least: int) -> Path:
    deadline = time.monotonic() + 200
    while process.poll() is None and time.monotonic() < deadline:
        for store in parent.glob("*/rows.sqlite"):
            if count(store) >= least:
                return store
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"no {least} rows were seen: {process.communicate()[1]}")


def count(path: Path) -> int:
    with RowStore(path) as rows:
        return len(rows.finished())
