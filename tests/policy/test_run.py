"""Fault test: a judge that fails for a fifth of the rollouts, and a trainer that is killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rewardlab.errors import UserError
from rewardlab.policy.run import train_policy
from rewardlab.training import run
from rewardlab.training.run import Trained
from rewardlab.training.speed import Speed
from tests.policy.policies import ROOT, config, folder, overrides


class PowerCut(Exception):
    pass


class Watch(Speed):
    """Notes what every step learns from, and stops the run after some of them."""

    stop_after = -1
    seen: list[Any]

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        self.seen.append([(list(g.prompt), [list(t.tokens) for t in g.trajectories]) for g in batch.groups])
        if len(self.seen) == self.stop_after:
            raise PowerCut


def watched(monkeypatch: pytest.MonkeyPatch, config: Any, stop_after: int = -1) -> tuple[Trained | None, list[Any]]:
    watch = type("W", (Watch,), {"stop_after": stop_after, "seen": []})
    monkeypatch.setattr(run, "Speed", watch)
    try:
        return train_policy(config), watch.seen
    except PowerCut:
        return None, watch.seen


def points(trained: Trained) -> list[tuple[int, str, float]]:
    lines = (trained.folder / "curve.jsonl").read_text().splitlines()
    return [(p["step"], p["name"], p["value"]) for p in map(json.loads, lines)]


# A reward for letters gives even a random policy something to learn; it fails for a fifth of the answers.
TOY = [
    "~reward",
    "+reward._target_=rewardlab.policy.methods.noise.Noisy",
    "+reward.method._target_=tests.policy.toys.Letters",
    "+reward.kind=fail",
    "+reward.rate=0.2",
]


@pytest.mark.parametrize(
    ("options", "stops"),
    [
        pytest.param([], (2, 3, 5), id="plain"),  # within a pass over the prompts, at its end, in the next one
        pytest.param(
            ["method.rollouts.passes=2", "method.rollouts.minibatches=2", "method.objective.kl=0.1"],
            (3,),  # within the second pass over a batch of rollouts
            id="reused",
        ),
        pytest.param(["policy.tuning=lora", "method.objective.kl=0.1"], (2,), id="adapter"),
        pytest.param(["method.rollouts.minibatches=2", "method.optimisation.accumulate=2"], (5,), id="accumulated"),
    ],
)
def test_a_stopped_run_goes_on_with_the_same_loss_and_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], stops: tuple[int, ...]
) -> None:
    place = folder(tmp_path / "base")
    whole, order = watched(monkeypatch, config(place, tmp_path / "whole", *TOY, *options))
    assert whole is not None and sum(bool(batch) for batch in order) > len(order) / 2
    for stop in stops:
        results = tmp_path / str(stop)
        nothing, before = watched(monkeypatch, config(place, results, *TOY, *options), stop)
        assert nothing is None and before == order[:stop]
        resumed, after = watched(monkeypatch, config(place, results, *TOY, *options))
        assert resumed is not None and after == order[len(order) - len(after) :]
        assert len(order) - len(after) in range(stop - 3, stop)
        assert [p[:2] for p in points(resumed)] == [p[:2] for p in points(whole)]
        assert [p[2] for p in points(resumed)] == pytest.approx([p[2] for p in points(whole)], abs=1e-6)
        assert resumed.metrics["final"] == pytest.approx(whole.metrics["final"], abs=1e-6)


def test_a_failing_judge_is_masked_and_counted(tmp_path: Path) -> None:
    trained = train_policy(config(folder(tmp_path / "base"), tmp_path, *TOY, "reward.rate=0.6"))
    assert trained is not None
    final = trained.metrics["final"]
    assert final["rollouts"] == 72 and final["groups"] == 24
    assert 0.4 < final["masked/endpoint_error"] / final["rollouts"] < 0.8
    assert final["skipped/no reward"] > 0 and final["skipped/one reward"] > 0
    assert trained.metrics["steps"] == 6
    values = [value for _, name, value in points(trained) if name == "train/masked"]
    assert sum(values) / len(values) == pytest.approx(final["masked/endpoint_error"] / final["rollouts"])


@pytest.mark.parametrize(
    ("reward", "skipped", "unlogged"),
    [
        pytest.param([*TOY, "reward.rate=1"], "no reward", {"train/loss", "train/reward"}, id="always fails"),
        pytest.param(["reward=constant"], "no spread", {"train/loss"}, id="constant"),
    ],
)
def test_a_reward_that_says_nothing_moves_nothing(
    tmp_path: Path, reward: list[str], skipped: str, unlogged: set[str]
) -> None:
    place = folder(tmp_path / "base")
    trained = train_policy(config(place, tmp_path, *reward, "train.validate_every=6"))
    assert trained is not None
    assert trained.metrics["final"][f"skipped/{skipped}"] == trained.metrics["final"]["groups"]
    assert not [point for point in points(trained) if point[1] in unlogged]
    from transformers import AutoModelForCausalLM

    before, after = (
        AutoModelForCausalLM.from_pretrained(f).state_dict() for f in (place, trained.folder / "model" / "policy")
    )
    assert all(before[name].equal(after[name]) for name in before)


def test_a_policy_learns_what_it_is_rewarded_for(tmp_path: Path) -> None:
    options = [*TOY, "reward.rate=0", "method.optimisation.epochs=6", "method.optimisation.learning_rate=1e-2"]
    trained = train_policy(config(folder(tmp_path / "base"), tmp_path, *options, "method.rollouts.group=8"))
    assert trained is not None
    rewards = [value for _, name, value in points(trained) if name == "train/reward"]
    assert sum(rewards[-5:]) / 5 > sum(rewards[:5]) / 5 + 0.2


def test_what_a_run_says_and_that_seeds_differ(tmp_path: Path) -> None:
    place = folder(tmp_path / "base")
    trained, other = (train_policy(config(place, tmp_path, *TOY, f"seed={seed}")) for seed in (0, 1))
    assert trained is not None and other is not None
    assert trained.folder.name != other.folder.name and points(trained) != points(other)
    metrics = json.loads((trained.folder / "metrics.json").read_text())
    assert {"policy": "local", "reward": "letters~fail0.2", "tasks": "arithmetic", "seed": 0}.items() <= metrics[
        "data"
    ].items()
    final = metrics["final"]
    assert final["gap"] == pytest.approx(final["train/reward"] - final["test/share"])
    assert {"test/accuracy", "test/share", "test/reward", "test/length", "zero_variance"} <= set(final)
    names = {point[1] for point in points(trained)}
    assert {"train/reward", "train/entropy", "train/length", "train/zero_variance", "validation/dev/accuracy"} <= names
    manifest = json.loads((trained.folder / "manifest.json").read_text())
    assert {"rollouts", "rewards", "update", "exams"} <= set(manifest["seconds_by_phase"])
    again = train_policy(config(place, tmp_path, *TOY))
    assert again is not None and again.steps_now == 0


def test_further_exams_come_from_the_config(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    row = {"key": 1, "prompt": "Say it.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    (data / "input_data.jsonl").write_text(json.dumps(row) + "\n")
    exam = f"{{_target_: rewardlab.policy.instruction_exams.ifeval, path: {json.dumps(str(data))}}}"
    trained = train_policy(config(folder(tmp_path / "base"), tmp_path, *TOY, f"tasks.exams=[{exam}]"))
    assert trained is not None and 0 <= trained.metrics["final"]["ifeval/prompt_strict"] <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["tasks=instructions", "tasks.families=[chosen_words]", "tasks.heldout=[]", "tasks.per_family=4",
          "reward.names=[reference]"], "has no reference"),
        (["method.max_prompt=3"], "prompts cannot be used"),
        (["method.rollouts.decoding.max_tokens=5000"], "the policy's context holds 4096"),
        (["reward=direct"], "set model=embedded"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_before_the_first_step(tmp_path: Path, options: list[str], message: str) -> None:
    place = folder(tmp_path / "base")
    with pytest.raises(Exception, match=message) as caught:
        train_policy(config(place, tmp_path, *options))
    assert isinstance(caught.value, UserError) or isinstance(caught.value.__cause__, UserError)
    assert not list(tmp_path.glob("train_policy/*/metrics.json"))


@pytest.mark.slow
def test_a_killed_process_resumes_from_the_command_line(tmp_path: Path) -> None:
    place = folder(tmp_path / "base")

    def start(results: Path) -> subprocess.Popen[str]:
        more = [*TOY, "method.optimisation.epochs=5", "method.rollouts.passes=2", "train.checkpoint_every=2"]
        command = [sys.executable, str(ROOT / "experiments" / "train_policy.py"), *overrides(place, results, *more)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        )

    whole, broken = start(tmp_path / "whole"), start(tmp_path / "broken")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("broken/*/*/resume.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    (left,) = tmp_path.glob("broken/*/*")
    assert not (left / "manifest.json").exists(), "the run was over before it could be killed"
    printed, problems = start(tmp_path / "broken").communicate(timeout=200)
    assert whole.wait(200) == 0
    assert "steps made now" in printed, problems
    (unbroken,) = tmp_path.glob("whole/*/*")
    assert (left / "curve.jsonl").read_bytes() == (unbroken / "curve.jsonl").read_bytes()
    assert (left / "metrics.json").read_bytes() == (unbroken / "metrics.json").read_bytes()
