from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rewardlab.errors import IdentityMismatch
from rewardlab.store.folder import RunFolder
from rewardlab.training import run
from rewardlab.training.run import Trained, train
from rewardlab.training.speed import Speed
from tests.training.tiny import ROOT, backbone, pairs


class PowerCut(Exception):
    pass


class Watch(Speed):
    """Notes the data of every batch, and stops the run after some of them."""

    stop_after = -1
    seen: list[list[list[int]]]

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        self.seen.append(batch.inputs.ids.tolist())
        if len(self.seen) == self.stop_after:
            raise PowerCut


def watched(monkeypatch: pytest.MonkeyPatch, config: Any, stop_after: int) -> tuple[Trained | None, list[Any]]:
    watch = type("W", (Watch,), {"stop_after": stop_after, "seen": []})
    monkeypatch.setattr(run, "Speed", watch)
    try:
        return train(config), watch.seen
    except PowerCut:
        return None, watch.seen


def points(trained: Trained) -> list[tuple[int, str, float]]:
    lines = (trained.folder / "curve.jsonl").read_text().splitlines()
    return [(p["step"], p["name"], p["value"]) for p in map(json.loads, lines)]


def test_a_log_is_told_how_far_the_run_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "Speed", lambda: Speed(tell_every=0.0))
    trained = train(pairs(backbone(tmp_path / "base"), tmp_path))
    assert trained is not None
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("step ")]
    assert len(lines) == trained.metrics["steps"]
    assert re.fullmatch(rf"step {len(lines)} of {len(lines)}, \d+ tokens/s, 0 min left", lines[-1])


@pytest.mark.parametrize(
    ("dropout", "options"),
    [
        pytest.param(0.0, [], id="plain"),
        pytest.param(0.3, [], id="dropout"),
        pytest.param(0.0, ["train.validate_every=3"], id="validation at the end of an epoch"),
        pytest.param(0.0, ["method.optimisation.batch_size=4", "method.optimisation.accumulate=2"], id="accumulated"),
    ],
)
def test_a_stopped_run_goes_on_with_the_same_loss_and_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropout: float, options: list[str]
) -> None:
    base = backbone(tmp_path / "base", attention_dropout=dropout)
    whole, order = watched(monkeypatch, pairs(base, tmp_path / "whole", *options), -1)
    assert whole is not None and whole.metrics["steps"] == 6
    for stop in (2, 3, 5):  # within an epoch, at its end, in the next one
        folder = tmp_path / str(stop)
        nothing, before = watched(monkeypatch, pairs(base, folder, *options), stop)
        assert nothing is None and len(before) == stop
        resumed, after = watched(monkeypatch, pairs(base, folder, *options), -1)
        assert resumed is not None
        # The batches behind the last checkpoint are trained on again, and no others.
        assert order == order[: len(order) - len(after)] + after and before == order[:stop]
        assert len(order) - len(after) in (stop - 1, stop - 2)
        assert [p[:2] for p in points(resumed)] == [p[:2] for p in points(whole)]
        assert [p[2] for p in points(resumed)] == pytest.approx([p[2] for p in points(whole)], abs=1e-6)
        assert resumed.metrics["final"] == whole.metrics["final"]


def test_equal_runs_are_equal_and_seeds_differ(tmp_path: Path) -> None:
    base = backbone(tmp_path / "base")
    one, two, other = (train(pairs(base, tmp_path / str(n), f"seed={seed}")) for n, seed in enumerate((0, 0, 1)))
    assert one is not None and two is not None and other is not None
    assert (one.folder / "metrics.json").read_bytes() == (two.folder / "metrics.json").read_bytes()
    assert (one.folder / "curve.jsonl").read_bytes() == (two.folder / "curve.jsonl").read_bytes()
    assert one.folder.name == two.folder.name != other.folder.name
    assert points(one) != points(other)


def test_a_finished_run_is_read_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    base = backbone(tmp_path / "base")
    first, again = (train(pairs(base, tmp_path)) for _ in range(2))
    assert first is not None and again is not None
    assert (first.steps_now, again.steps_now) == (6, 0)
    assert again.metrics == json.loads(json.dumps(first.metrics))
    found = {file.name for file in first.folder.iterdir()}
    assert found == {"identity.json", "curve.jsonl", "outputs.jsonl.zst", "metrics.json", "manifest.json", "model"}
    manifest = json.loads((first.folder / "manifest.json").read_text())
    assert manifest["speed"]["tokens"] > 0 and manifest["device"] == "cpu" and manifest["precision"] == "32-true"


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    base = backbone(tmp_path / "base")
    trained = train(pairs(base, tmp_path))
    assert trained is not None
    identity = json.loads((trained.folder / "identity.json").read_text())
    with pytest.raises(IdentityMismatch, match="learning_rate"):
        RunFolder(trained.folder, {**identity, "method.optimisation.learning_rate": "0.5"})


@pytest.mark.slow
def test_a_killed_process_resumes_from_the_command_line(tmp_path: Path) -> None:
    base = backbone(tmp_path / "base")
    overrides = [
        f"method.backbone={base}",
        "method.tuning=lora",
        "data.per_family=10",
        "data.validation_per_family=2",
        "data.families=[chain_sum,products]",
        "method.optimisation.epochs=4",
        "method.optimisation.batch_size=4",
        "train.accelerator=cpu",
        "train.checkpoint_every=2",
        "tracking=none",
    ]

    def start(results: Path) -> subprocess.Popen[str]:
        script = ROOT / "experiments" / "train_reward_model.py"
        command = [sys.executable, str(script), *overrides, f"results_dir={results}"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        )

    whole = start(tmp_path / "whole")
    broken = start(tmp_path / "broken")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("broken/*/*/resume.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    (folder,) = tmp_path.glob("broken/*/*")
    assert not (folder / "manifest.json").exists(), "the run was over before it could be killed"
    printed, problems = start(tmp_path / "broken").communicate(timeout=200)
    assert whole.wait(200) == 0
    assert "steps made now" in printed, problems
    (unbroken,) = tmp_path.glob("whole/*/*")
    assert (folder / "curve.jsonl").read_bytes() == (unbroken / "curve.jsonl").read_bytes()
    assert (folder / "metrics.json").read_bytes() == (unbroken / "metrics.json").read_bytes()


def test_a_run_without_validation_resumes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = backbone(tmp_path / "base")
    config = pairs(base, tmp_path, "data.validation_per_family=0")
    _, before = watched(monkeypatch, config, 4)
    resumed, after = watched(monkeypatch, config, -1)
    assert resumed is not None and resumed.metrics["final"] == {}
    assert (len(before), len(after)) == (4, 3)


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    base = backbone(tmp_path / "base")
    script = ROOT / "experiments" / "train_reward_model.py"
    overrides = [
        "train=ddp",
        "train.accelerator=cpu",
        "train.devices=2",
        "train.validate_every=2",
        f"method.backbone={base}",
        "method.tuning=full",
        "method.optimisation.batch_size=2",
        "data.per_family=4",
        "data.validation_per_family=2",
        "data.families=[chain_sum,products]",
        f"results_dir={tmp_path}",
        "tracking=none",
    ]
    command = [sys.executable, str(script), *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=250)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("run folder") == 1  # one process speaks
    (folder,) = tmp_path.glob("train_reward_model/*")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["steps"] == 6  # 24 pairs, 2 in each of 2 processes
    assert json.loads((folder / "manifest.json").read_text())["processes"] == 2
    assert set(metrics["final"]) == {"accuracy", "accuracy/chain_sum", "accuracy/products", "longest", "shortest"}


def test_curves_reach_mlflow(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    from rewardlab.tracking import log_training

    trained = train(pairs(backbone(tmp_path / "base"), tmp_path))
    assert trained is not None
    tracking = {"enabled": True, "uri": f"sqlite:///{tmp_path}/mlflow.db"}
    for _ in range(2):  # logging twice makes no second copy
        log_training(tracking, trained.folder)
    client = MlflowClient(tracking["uri"])
    experiment = client.get_experiment_by_name("train_reward_model")
    assert experiment is not None
    (logged,) = client.search_runs([experiment.experiment_id])
    curve = client.get_metric_history(logged.info.run_id, "train/loss")
    assert [(p.step, p.value) for p in curve] == [(s, v) for s, name, v in points(trained) if name == "train/loss"]
    assert logged.data.metrics["final/accuracy"] == trained.metrics["final"]["accuracy"]
    assert logged.data.params["method.tuning"] == "full"
