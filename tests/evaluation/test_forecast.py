"""Dry runs: what a run would need, from a sample that the run then keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rewardlab.errors import UserError
from rewardlab.evaluation.forecast import Forecast, forecast
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.run import OpenRun, Settings, complete, open_run
from rewardlab.report.markdown import to_markdown
from rewardlab.report.tables.forecast import forecasts
from rewardlab.task import Task
from rewardlab.verdict import Usage, Verdict
from tests.evaluation.toy import ToyBenchmark, ToyJudge

BENCHMARK = ToyBenchmark({"math": 60, "code": 40})


class Priced(ToyJudge):
    """A judgment costs three calls, as many prompt tokens as its question says, and a cent."""

    async def judge(self, task: Task) -> Verdict:
        verdict = await super().judge(task)
        return replace(verdict, usage=Usage(3, 100 + int(task.id.split("-")[1]), 0, 7, cost=0.01))


def opened(parent: Path, judge: ToyJudge, concurrency: int = 4) -> OpenRun:
    settings = Settings(seed=0, concurrency=concurrency)
    return open_run(LoopThread(), BENCHMARK, judge, None, settings, {"judge": "toy"}, parent)


def test_the_rest_is_extrapolated_and_the_sample_is_not_paid_twice(tmp_path: Path) -> None:
    judge = Priced(delay=0.02)
    found = forecast(opened(tmp_path, judge), 20)
    assert (found.planned, found.remaining, found.sample, len(judge.judged)) == (200, 180, 20, 20)
    assert found.status == {"ok": 20}
    assert (found.calls.point, found.completion_tokens.point) == (540, 1260)
    assert found.cost.point == pytest.approx(1.8)
    assert not (Path(found.folder) / "manifest.json").exists()
    again = Priced()
    assert forecast(opened(tmp_path, again), 20) == found
    assert again.judged == []
    rest = Priced(delay=0.02)
    done = complete(opened(tmp_path, rest))
    assert len(rest.judged) == done.judged_now == 180
    total = done.manifest["usage"]["prompt_tokens"] - sum(100 + int(t.split("-")[1]) for t in judge.judged)
    assert found.prompt_tokens.low is not None
    assert found.prompt_tokens.high is not None
    assert found.prompt_tokens.low < total < found.prompt_tokens.high
    assert done.metrics == complete(opened(tmp_path / "unbroken", Priced())).metrics


def test_time_is_a_range_from_full_concurrency_to_that_of_the_sample(tmp_path: Path) -> None:
    found = forecast(opened(tmp_path, Priced(delay=0.2), concurrency=40), 10)
    assert found.seconds.low is not None
    assert found.seconds.high is not None
    # 190 judgments of 0.2 s: 40 at a time, or 10.
    assert 0.9 <= found.seconds.low < 2.5
    assert 3.5 <= found.seconds.high < 10


def test_a_plan_smaller_than_the_sample_is_judged_whole(tmp_path: Path) -> None:
    found = forecast(opened(tmp_path, Priced()), 1000)
    assert (found.remaining, found.sample, found.calls.point) == (0, 200, 0)


def test_judgments_without_a_verdict_are_said_and_their_calls_count(tmp_path: Path) -> None:
    found = forecast(opened(tmp_path, ToyJudge(failing=frozenset(BENCHMARK.places()))), 10)
    assert found.status == {"endpoint_error": 10}
    assert (found.remaining, found.calls.point) == (200, 200)
    assert found.cost.point is None
    assert found.seconds == (None, None)
    shown = to_markdown(forecasts([found]))
    assert "without a verdict: 10 endpoint_error" in shown
    assert "no price is known" in shown


def test_an_empty_sample_measures_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dry_run_sample=0"):
        forecast(opened(tmp_path, Priced()), 0)


def test_several_runs_are_added_up(tmp_path: Path) -> None:
    found: Forecast = forecast(opened(tmp_path, Priced()), 20)
    last = to_markdown(forecasts([found, found])).split("\n| all")[1].split("\n")[0]
    assert "360/400" in last
    assert "1,080" in last
    assert "3.60" in last
