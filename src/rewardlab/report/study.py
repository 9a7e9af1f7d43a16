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
from rewardlab.report.frame import Frame
from rewardlab.report.markdown import to_markdown
from rewardlab.report.tables.claims import predicted_claims
from rewardlab.report.tables.curve import learning_curve
from rewardlab.report.tables.process import chosen_candidates, first_errors
from rewardlab.report.write import write_report
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
    frames: list[Frame] = []
    processes = trained_processes(folder / "trainings")
    if processes:
        frames += [first_errors(processes), chosen_candidates(processes)]
    benchmarks = {place: finished_folders(place) for place in sorted(folder.iterdir()) if place.name != "trainings"}
    judged = {place.name: read_runs(folders) for place, folders in benchmarks.items() if folders}
    pairs = _pairs(folder / "trainings")
    if pairs and judged:
        frames.append(learning_curve(pairs, {name: _by_arm(runs) for name, runs in judged.items()}, baseline))
    if claims and processes:
        rulings = [r for r in trained_verdicts(claims.trained, processes) if r.runs]
        frames += [predicted_claims(claims, rulings)] if rulings else []
    texts = [to_markdown(frame.brief(), 2) for frame in frames]
    for place, folders in benchmarks.items():
        if folders:
            texts.append(write_report(folders, place, baseline).markdown)
    text = "\n".join(texts)
    write_text(folder / "table.md", text)
    return text


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
