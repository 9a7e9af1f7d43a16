from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig
from safetensors.torch import load_file

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.errors import UserError
from rewardlab.judges.direct import Direct
from rewardlab.models.local import LocalGenerator
from rewardlab.task import Setting
from rewardlab.training.judging_tasks import JudgingTasks, Posed, verifiable
from rewardlab.training.run import Trained, train
from tests.training.test_run import points, watched
from tests.training.tiny import backbone, config


def tuned(base: Path, results: Path, *overrides: str, method: str = "judge_static") -> DictConfig:
    """A run of six steps over two epochs."""
    return config(
        f"method={method}",
        f"method.backbone={base}",
        f"results_dir={results}",
        "data.per_family=3",
        "data.validation_per_family=1",
        "data.families=[aiw,products]",
        "method.max_length=8000",
        "method.examples=null",
        "method.optimisation.epochs=2",
        "method.optimisation.batch_size=2",
        "train.validate_every=2",
        "train.checkpoint_every=1",
        *overrides,
    )


def right_first(**options: Any) -> JudgingTasks:
    """Tasks that all show the right candidate first."""

    def turned(posed: Posed) -> Posed:
        ids = sorted((c.id for c in posed.task.candidates), key=lambda name: name not in posed.right)
        return posed._replace(task=posed.task.in_order(ids))

    name, *parts = verifiable(**options)
    return JudgingTasks(name, *(tuple(map(turned, part)) for part in parts))


def done(config: DictConfig) -> Trained:
    trained = train(config)
    assert trained is not None
    return trained


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return backbone(tmp_path_factory.mktemp("base"), context=8192)


def test_a_stopped_run_goes_on_with_the_same_loss_and_order(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, order = watched(monkeypatch, tuned(base, tmp_path / "whole"), -1)
    assert whole is not None and whole.metrics["steps"] == 6
    nothing, before = watched(monkeypatch, tuned(base, tmp_path / "broken"), 4)
    assert nothing is None
    resumed, after = watched(monkeypatch, tuned(base, tmp_path / "broken"), -1)
    assert resumed is not None and order == before[: len(order) - len(after)] + after
    assert [p[:2] for p in points(resumed)] == [p[:2] for p in points(whole)]
    assert [p[2] for p in points(resumed)] == pytest.approx([p[2] for p in points(whole)], abs=1e-6)
    assert resumed.metrics == whole.metrics
    weights = [load_file(run.folder / "model" / "adapter_model.safetensors") for run in (whole, resumed)]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])


def test_the_adapter_judges_as_it_was_taught(base: Path, tmp_path: Path) -> None:
    """Tuned on answers that are always A, it answers A, where it did not before."""

    def shares(adapter: str | None) -> list[float]:
        async def run() -> list[float]:
            generator = LocalGenerator(str(base), adapter=adapter)
            judge = Direct(generator)
            benchmark = Verifiable("test", "pair", 3, 0, ["aiw"])
            verdicts = [await judge.judge(task) for task in benchmark.tasks(Setting.STANDARD)]
            await generator.aclose()
            return [event.detail["shares"]["A"] for v in verdicts for event in v.trace if event.kind == "labels"]

        return asyncio.run(run())

    data = f"data._target_={__name__}.right_first"
    trained = done(
        tuned(base, tmp_path, data, "method.optimisation.learning_rate=2e-2", "method.optimisation.epochs=4")
    )
    before, after = shares(None), shares(str(trained.folder / "model"))
    assert min(after) > max(before) + 0.2, (before, after)
    losses = [value for _, name, value in points(trained) if name == "train/loss"]
    assert losses[-1] < losses[0] - 1.0


def test_budgets_take_the_beginning_of_one_sequence(base: Path, tmp_path: Path) -> None:
    runs = {
        name: done(tuned(base, tmp_path, *overrides))
        for name, overrides in {
            "all": [],
            "two": ["method.examples=2"],
            "tokens": ["method.tokens=6500"],
        }.items()
    }
    data = {name: run.metrics["data"] for name, run in runs.items()}
    assert (data["all"]["used_for_training"], data["two"]["used_for_training"]) == (6, 2)
    assert 2 < data["tokens"]["used_for_training"] < 6
    assert data["tokens"]["computed_tokens"] <= 6500 < data["all"]["computed_tokens"]
    for run in runs.values():
        spent = json.loads((run.folder / "manifest.json").read_text())["speed"]["tokens"]
        assert spent == pytest.approx(run.metrics["data"]["computed_tokens"], rel=0.15)
    assert len({run.folder for run in runs.values()}) == 3


@pytest.mark.parametrize("budget", ["examples=7", "tokens=50000", "tokens=100", "examples=0"])
def test_a_budget_that_the_supply_does_not_meet_is_refused(base: Path, tmp_path: Path, budget: str) -> None:
    with pytest.raises(UserError, match=r"6 demonstrations of \d+ tokens do not fit"):
        train(tuned(base, tmp_path, f"method.{budget}"))


def test_a_skill_judge_is_tuned_in_both_settings(base: Path, tmp_path: Path) -> None:
    options = ["data.resource=0.5", "method.examples=4", "method.optimisation.epochs=1", "method.lora.r=2"]
    trained = done(tuned(base, tmp_path, *options, method="judge"))
    assert trained.folder.name.startswith("judge_skill-")
    data = trained.metrics["data"]
    assert data["kept"] == 8 and data["own_tokens"] > 4 * 100
    assert {"loss", "exact", "exact/aiw", "exact/products"} == set(trained.metrics["final"])
    settings = json.loads((trained.folder / "model" / "adapter_config.json").read_text())
    assert settings["r"] == 2 and settings["base_model_name_or_path"] == str(base)


def test_what_cannot_be_used_is_counted_or_refused(base: Path, tmp_path: Path) -> None:
    strange: list[Any] = ["data.families=[aiw,simple_integration]", "method.optimisation.epochs=1"]
    with pytest.raises(UserError, match=r"4 of 8 judgments of the expert cannot be used \(4 no check\)"):
        train(tuned(base, tmp_path, *strange))
    kept = done(tuned(base, tmp_path, *strange, "method.max_dropped=0.5"))
    assert kept.metrics["data"]["dropped"] == {"no check": 4}
    with pytest.raises(UserError, match=r"too long(.|\n)*tokens, and max_length is 300"):
        train(tuned(base, tmp_path, "method.max_length=300"))
