"""The tables of a study, from its run folders alone: what was trained, what the trained models judge, and the claims.

A study's folder holds `trainings/NAME/` with the runs of each training and a folder for each benchmark with the runs
of the judges; `table.md` comes beside them, and each benchmark gets a whole report of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rewardlab.claims.registry import Claims
from rewardlab.claims.trained import trained_verdicts
from rewardlab.evaluation.finished import FinishedRun, finished_folders, read_runs
from rewardlab.report.experiment import read_experiment
from rewardlab.report.frame import Frame
from rewardlab.report.markdown import to_markdown
from rewardlab.report.tables.claims import predicted_claims
from rewardlab.report.tables.curve import learning_curve
from rewardlab.report.tables.process import chosen_candidates, first_errors
from rewardlab.report.write import terminal, write_report
from rewardlab.store.atomic import write_text
from rewardlab.training.finished import trained_processes


def write_study(folder: Path, baseline: str, claims: Claims | None) -> str:
    """Write table.md, and the report of each benchmark.

    Args:
        folder: Of the study.
        baseline: The arm that others are compared with.
        claims: The register; those predictions are shown for which one of the study's runs counts.

    Returns:
        The Markdown of table.md.

    Raises:
        UserError: When a run is unfinished or mixed.
    """
    for place, folders in _benchmarks(folder).items():
        write_report(folders, place, baseline)
    text = study_markdown(folder, baseline, claims)
    write_text(folder / "table.md", text)
    return text


def study_markdown(folder: Path, baseline: str, claims: Claims | None) -> str:
    """Content of table.md. Arguments and failures are those of `write_study`."""
    texts = [to_markdown(frame.brief(), 2) for frame in study_frames(folder, baseline, claims)]
    reports = (read_experiment(place.name, of, baseline) for place, of in _benchmarks(folder).items())
    return "\n".join([*texts, *map(terminal, reports)])


def study_frames(folder: Path, baseline: str, claims: Claims | None) -> list[Frame]:
    """The tables of the study itself. Arguments and failures are those of `write_study`."""
    frames: list[Frame] = []
    processes = trained_processes(folder / "trainings")
    if processes:
        frames += [first_errors(processes), chosen_candidates(processes)]
    judged = {place.name: read_runs(folders) for place, folders in _benchmarks(folder).items()}
    pairs = _pairs(folder / "trainings")
    if pairs and judged:
        frames.append(learning_curve(pairs, {name: _by_arm(runs) for name, runs in judged.items()}, baseline))
    if claims and processes:
        rulings = [r for r in trained_verdicts(claims.trained, processes) if r.runs]
        frames += [predicted_claims(claims, rulings)] if rulings else []
    return frames


def is_study(folder: Path) -> bool:
    """Whether a folder is that of a study whose tables were written."""
    return (folder / "trainings").is_dir() and (folder / "table.md").exists()


def _benchmarks(folder: Path) -> dict[Path, list[Path]]:
    """The folder of each benchmark to the runs of the judges."""
    places = sorted(place for place in folder.iterdir() if place.is_dir() and place.name != "trainings")
    return {place: folders for place in places if (folders := finished_folders(place))}


def _pairs(trainings: Path) -> dict[str, int]:
    """Training to the preference pairs that it saw, fewest first."""
    found = {}
    for place in sorted(trainings.rglob("identity.json")):
        identity = json.loads(place.read_text(encoding="utf-8"))
        if "data.pairs" in identity:
            found[place.parent.parent.name] = int(identity["data.pairs"])
    return dict(sorted(found.items(), key=lambda item: (item[0].rpartition("_")[0], item[1])))


def _by_arm(runs: Sequence[FinishedRun]) -> dict[str, list[FinishedRun]]:
    """Runs by the name of the arm; models of one training are told apart by ".SEED"."""
    found: dict[str, list[FinishedRun]] = {}
    for run in runs:
        name, dot, seed = run.judge.rpartition(".")
        found.setdefault(name if dot and seed.isdigit() else run.judge, []).append(run)
    return found
