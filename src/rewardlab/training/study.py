"""A study: several trainings, each with several seeds, and what the trained models judge afterwards.

A study lists its trainings as overrides of experiments/train_reward_model.py and its benchmarks as overrides of
experiments/evaluate.py, so each of its runs can be made alone by the same overrides. Runs go one after another, each in
its own folder; what is finished is not run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hydra import compose
from omegaconf import DictConfig

from rewardlab.errors import UserError
from rewardlab.evaluation.session import Session
from rewardlab.training.run import Trained, train


@dataclass(frozen=True, slots=True)
class StudyTraining:
    """One training of a study.

    Attributes:
        name: Of the training, the same for all seeds.
        seed: Its seed.
        trained: The finished run.
    """

    name: str
    seed: int
    trained: Trained


def run_trainings(config: DictConfig) -> Iterator[StudyTraining]:
    """Train what a study lists, seed by seed.

    Args:
        config: The composed config of experiments/study.py; called within its Hydra main.

    Raises:
        UserError: When a training cannot start; finished ones stay.
    """
    study = config.study
    for seed in study.seeds:
        for name, overrides in study.trainings.items():
            place = [
                f"results_dir={config.results_dir}",
                f"experiment_name={study.name}/trainings/{name}",
                f"seed={seed}",
            ]
            trained = train(compose("train_reward_model", overrides=[*place, *study.shared, *overrides]))
            if trained is None:
                raise UserError(
                    "a study runs in one process; train with train=ddp by experiments/train_reward_model.py"
                )
            yield StudyTraining(name, seed, trained)


def run_judgments(config: DictConfig, trainings: list[StudyTraining]) -> dict[str, list[Path]]:
    """Let the trained models judge each benchmark of a study, beside its blind arms.

    Args:
        config: As for `run_trainings`.
        trainings: What it gave.

    Returns:
        Benchmark, by its name in the study, to run folders.

    Raises:
        UserError: When a run cannot start; finished ones stay.
    """
    study = config.study
    judges = [[f"judge={name}", "model=none"] for name in study.blind]
    for one in trainings:
        if one.seed in study.judged_seeds:
            name = one.name if len(study.judged_seeds) == 1 else f"{one.name}.{one.seed}"
            model = one.trained.folder / "model"
            judges.append([f"judge={study.judge}", f"judge.reward_model='{model}'", f"judge.name={name}", "model=none"])
    found: dict[str, list[Path]] = {}
    with Session() as session:
        for benchmark, overrides in study.benchmarks.items():
            place = [f"results_dir={config.results_dir}", f"experiment_name={study.name}/{benchmark}"]
            runs = [session.run(compose("evaluate", overrides=[*place, *overrides, *judge])) for judge in judges]
            found[benchmark] = [run.folder for run in runs]
    return found
