"""Whole studies with a tiny backbone: what is trained judges, and the tables come again from the folders alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from rewardlab.report.study import write_study
from rewardlab.training.study import run_judgments, run_trainings
from tests.training.tiny import ROOT, backbone

pytestmark = pytest.mark.slow

SMALL = ["train.accelerator=cpu", "method.optimisation.epochs=2", "data.families=[chain_sum,products]"]


def run(study: str, tmp_path: Path, trainings: dict[str, list[str]], benchmarks: dict[str, list[str]]) -> DictConfig:
    base = backbone(tmp_path / "base")
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = compose("study", overrides=[f"study={study}", f"results_dir={tmp_path}", "tracking=none"])
        config.study.seeds = config.study.judged_seeds = [0, 1]
        config.study.shared = [*config.study.shared, *SMALL, f"method.backbone={base}"]
        config.study.trainings, config.study.benchmarks = trainings, benchmarks
        done = list(run_trainings(config))
        assert [(one.name, one.seed) for one in done] == [(name, seed) for seed in (0, 1) for name in trainings]
        assert all(one.trained.steps_now for one in done)
        run_judgments(config, done)
    return config


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "cache"))


def rows(markdown: str, title: str) -> dict[str, list[str]]:
    """The cells of a table by its first column."""
    table = markdown.split(f"## {title}\n")[1].strip().split("\n\n")[0].splitlines()
    cells: Any = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0]: row[1:] for row in cells}


def test_process_models_by_labels(tmp_path: Path) -> None:
    sizes = ["data.problems_per_family=4", "data.validation_per_family=3", "data.test_per_family=3"]
    tag = "method.step_tag='<end>'"
    trainings = {name: [f"method.labels={name}", tag, *sizes] for name in ("mc_hard", "consensus_hard")}
    config = run("process_labels", tmp_path, trainings, {})
    text = write_study(tmp_path / "process_labels", config.study.baseline, None)
    assert text == (tmp_path / "process_labels" / "table.md").read_text()
    errors, chosen = rows(text, "First errors by training labels"), rows(text, "Best of n by training labels")
    assert {"mc_hard", "consensus_hard"} <= errors.keys() and {"majority", "random", "oracle"} <= chosen.keys()
    assert errors["mc_hard"][0] == "100.0" and float(errors["consensus_hard"][0]) < 100
    assert errors["mc_hard"][-1].startswith("–") and errors["consensus_hard"][-1][0] in "+−0"


def test_scalar_models_by_size(tmp_path: Path) -> None:
    trainings = {
        f"verifiable_{n}": [f"data.per_family={n}", "data.seed=0", "data.validation_per_family=2"] for n in (2, 4)
    }
    judged = ["benchmark=verifiable", "benchmark.form=pair", "benchmark.per_family=2", "tracking=none"]
    benchmarks = {"unseen": [*judged, "benchmark.split=heldout"]}
    config = run("bradley_terry", tmp_path, trainings, benchmarks)
    folder = tmp_path / "bradley_terry"
    text = write_study(folder, config.study.baseline, None)
    curve = rows(text, "Learning curve")
    assert [curve[name][0] for name in trainings] == ["12", "24"]
    assert list(curve)[2:4] == list(trainings) and curve["longest"][0].startswith("–")
    assert len(curve["verifiable_2"]) == 1 + 2  # pairs; accuracy and difference on the benchmark
    assert all((folder / benchmark / "report.html").exists() for benchmark in benchmarks)
    assert text == write_study(folder, config.study.baseline, None)
