"""Trainings that belong to one table, and what their models judge: python experiments/study.py study=process_labels."""

from __future__ import annotations

from omegaconf import DictConfig

from rewardlab.entry import main


@main("study")
def study(config: DictConfig) -> int:
    """Train, judge, and write the tables; what is finished is only read."""
    from pathlib import Path

    from rewardlab import tracking
    from rewardlab.claims.registry import load_claims
    from rewardlab.report.study import write_study
    from rewardlab.training.study import run_judgments, run_trainings

    name, folder = config.study.name, Path(config.results_dir) / config.study.name
    judged: dict[str, list[Path]] = {}
    if not config.only_tables:
        trainings = []
        for one in run_trainings(config):
            tracking.log_training(config.tracking, one.trained.folder, name)
            print(f"{one.name}, seed {one.seed}: {one.trained.steps_now} steps now, {one.trained.folder}", flush=True)
            trainings.append(one)
        judged = run_judgments(config, trainings)
    claims = load_claims(Path(config.claims)) if config.claims else None
    print(write_study(folder, config.study.baseline, claims))
    for benchmark, runs in judged.items():
        tracking.log_experiment(config.tracking, f"{name}-{benchmark}", runs, folder / benchmark)
    print(f"\ntables and runs: {folder}")
    return 0


if __name__ == "__main__":
    study()
