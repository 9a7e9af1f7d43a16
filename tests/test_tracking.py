from __future__ import annotations

import logging
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.tracing.client import TracingClient

from rewardlab import tracking
from rewardlab.benchmarks.judgebench import JudgeBench
from rewardlab.errors import UserError
from rewardlab.evaluation.finished import read_run
from rewardlab.report.write import write_report
from rewardlab.store.rows import RowStore
from tests.report.finished import blind_arm, model_arm, small_benchmark


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def benchmark_of_sums(place: Path) -> JudgeBench:
    return small_benchmark(place / "data")


@pytest.fixture(scope="module")
def arms(place: Path, benchmark_of_sums: JudgeBench) -> list[Path]:
    return [
        model_arm(place / "toy", benchmark_of_sums, "direct", right=0.6, silent=0.1),
        blind_arm(place / "toy", benchmark_of_sums, "first"),
    ]


@pytest.fixture(scope="module")
def config(place: Path) -> dict[str, Any]:
    return {"enabled": True, "uri": f"sqlite:///{place}/mlflow.db", "traces": 3, "baseline": "direct"}


@pytest.fixture(scope="module")
def logged(config: dict[str, Any], arms: list[Path], place: Path) -> MlflowClient:
    write_report(arms, place / "toy")
    tracking.log_experiment(config, "toy", arms, place / "toy")
    return MlflowClient(config["uri"])


def runs_of(client: MlflowClient, name: str) -> dict[str, Any]:
    experiment = client.get_experiment_by_name(name)
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def test_an_experiment_is_a_run_with_a_child_for_each_arm(logged: MlflowClient, arms: list[Path]) -> None:
    runs = runs_of(logged, "toy")
    assert set(runs) == {"toy", *(arm.name for arm in arms)}
    assert {runs[arm.name].data.tags["mlflow.parentRunId"] for arm in arms} == {runs["toy"].info.run_id}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    expected = {"arms": "always_first, direct", "benchmarks": "judgebench pair", "models": "scripted-model"}
    assert runs["toy"].data.params == expected


def test_params_and_metrics_are_those_of_the_folder(logged: MlflowClient, arms: list[Path]) -> None:
    data, run = runs_of(logged, "toy")[arms[0].name].data, read_run(arms[0])
    assert not [name for name in data.params if "sha256" in name or "_target_" in name]
    assert (data.params["judge"], data.params["model"], data.params["seed"]) == ("direct", "scripted-model", "0")
    assert data.metrics["strict"] == pytest.approx(run.metrics["strict"]["accuracy"])
    assert data.metrics["strict_low"] == pytest.approx(run.metrics["interval"]["low"])
    assert data.metrics["status/unparseable"] == pytest.approx(run.metrics["summary"]["status_rate"]["unparseable"])
    assert data.metrics["calls_per_judgment"] == pytest.approx(run.usage.calls / run.judgments)


def test_what_is_undefined_is_left_out(arms: list[Path]) -> None:
    run = read_run(arms[1])
    assert run.metrics["summary"]["supported_evidence_rate"] is None
    assert "supported_evidence_rate" not in tracking.metrics(run) and "cost_per_judgment" not in tracking.metrics(run)


def test_artifacts_lie_beside_the_store(logged: MlflowClient, arms: list[Path], place: Path) -> None:
    runs = runs_of(logged, "toy")
    assert {"table.md", "report.html", "figures"} <= {f.path for f in logged.list_artifacts(runs["toy"].info.run_id)}
    names = {f.path for f in logged.list_artifacts(runs[arms[0].name].info.run_id)}
    assert names == {"manifest.json", "metrics.json"}
    assert (place / "mlflow-artifacts" / "toy" / runs["toy"].info.run_id / "artifacts" / "table.md").is_file()


def test_logging_again_makes_no_second_copy(
    logged: MlflowClient, config: dict[str, Any], arms: list[Path], place: Path
) -> None:
    before = {run.info.run_id for run in runs_of(logged, "toy").values()}
    tracking.log_experiment(config, "toy", arms, place / "toy")
    assert {run.info.run_id for run in runs_of(logged, "toy").values()} == before


def test_a_single_run_is_logged_without_a_parent(
    logged: MlflowClient, config: dict[str, Any], place: Path, benchmark_of_sums: JudgeBench
) -> None:
    folder = model_arm(place / "alone", benchmark_of_sums, "direct", right=0.5)
    tracking.log_run(config, folder)
    (run,) = runs_of(logged, "alone").values()
    assert run.info.run_name == folder.name
    assert "mlflow.parentRunId" not in run.data.tags


def test_judgments_are_traces_of_the_arm_that_made_them(
    logged: MlflowClient, config: dict[str, Any], arms: list[Path]
) -> None:
    with RowStore(arms[0] / "rows.sqlite") as rows:
        judgments = {judgment.key: judgment for judgment in rows.judgments()}
    experiment = logged.get_experiment_by_name("toy").experiment_id
    client = TracingClient(config["uri"])
    found = [client.get_trace(t.info.trace_id) for t in client.search_traces(experiment_ids=[experiment])]
    assert len(found) == config["traces"]  # none of the judge that asks no model
    for trace in found:
        assert trace.info.trace_metadata["mlflow.sourceRun"] == runs_of(logged, "toy")[arms[0].name].info.run_id
        judgment = judgments[trace.info.request_preview]
        whole, call = trace.data.spans
        assert (whole.name, whole.parent_id, whole.span_type) == (judgment.task_id, None, "CHAIN")
        assert whole.inputs["order"] == list(judgment.order)
        assert whole.outputs.get("choice") == judgment.verdict.choice
        assert (call.name, call.parent_id, call.span_type) == ("model call", whole.span_id, "LLM")
        assert "What is" in call.inputs["messages"][1]["content"]
        assert call.outputs["text"]
        assert whole.start_time_ns <= call.start_time_ns < call.end_time_ns <= whole.end_time_ns


def test_switched_off_it_does_nothing(arms: list[Path], tmp_path: Path) -> None:
    tracking.log_run({"enabled": False}, arms[0])
    tracking.log_experiment({"enabled": False}, "x", arms, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unfinished_run_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished run"):
        tracking.log_run(config, tmp_path)


def a_closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    "kind", ["dead server", "unknown scheme", "no folder for the file", "file that is no database"]
)
def test_what_is_wrong_with_mlflow_costs_one_warning(
    kind: str, arms: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("this is no database, only text that is long enough to be read as a header of one" * 10)
    uri = {
        "dead server": a_closed_port(),
        "unknown scheme": "carrier-pigeon://loft",
        "no folder for the file": "sqlite:////proc/none/mlflow.db",
        "file that is no database": f"sqlite:///{broken}",
    }[kind]
    started = time.monotonic()
    with caplog.at_level(logging.WARNING, "rewardlab"):
        tracking.log_run({"enabled": True, "uri": uri, "traces": 3, "baseline": "direct"}, arms[0])
    assert time.monotonic() - started < 20
    ours = [record for record in caplog.records if record.name.startswith("rewardlab")]
    assert len(ours) == 1 and uri in ours[0].getMessage()


def test_a_store_is_made_beside_other_work(tmp_path: Path) -> None:
    config = {"enabled": True, "uri": f"sqlite:///{tmp_path}/deep/mlflow.db"}
    with tracking.store_in_the_making(config):
        assert not (tmp_path / "deep" / "mlflow.db").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["mlflow.db"]
    assert [experiment.name for experiment in MlflowClient(config["uri"]).search_experiments()] == ["Default"]


def test_a_store_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"mine")
    with tracking.store_in_the_making({"enabled": True, "uri": f"sqlite:///{tmp_path}/mlflow.db"}):
        pass
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]


def test_work_that_fails_leaves_no_store(tmp_path: Path) -> None:
    config = {"enabled": True, "uri": f"sqlite:///{tmp_path}/mlflow.db"}
    with pytest.raises(ValueError, match="work"), tracking.store_in_the_making(config):
        raise ValueError("work")
    assert list(tmp_path.iterdir()) == []
