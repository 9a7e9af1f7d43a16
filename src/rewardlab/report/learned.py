"""Finished training runs as typed records: of reward models, of judges, of policies.

A training run's folder has a manifest, metrics and a curve, and no rows (see `rewardlab.training.run`). The data of a
policy's metrics name the policy (see `rewardlab.policy.grpo`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardlab.errors import BadData


@dataclass(frozen=True, slots=True)
class LearnedRun:
    """One training run.

    Attributes:
        folder: Where it lies.
        run_id: Names its identity.
        identity: The flat identity.
        commit: Checked-out commit when it finished.
        metrics: Content of metrics.json.
        manifest: Content of manifest.json.
        curve: Name of a logged number to its (step, value) points, in order.
    """

    folder: Path
    run_id: str
    identity: Mapping[str, str]
    commit: str
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any]
    curve: Mapping[str, tuple[tuple[int, float], ...]]

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.identity["seed"])

    @property
    def is_policy(self) -> bool:
        """Whether a policy was trained, and not a judge or a reward model."""
        return "policy" in self.metrics["data"]

    @property
    def trace(self) -> str:
        """Where a number comes from, for the reader of a cell."""
        return f"run {self.run_id}, commit {self.commit}, metrics.json"


def learned_folders(root: Path) -> list[Path]:
    """Every folder below `root` that holds a finished training run, sorted. MLflow's copies have no identity.json."""
    files = ("curve.jsonl", "identity.json")
    return sorted(m.parent for m in root.rglob("manifest.json") if all((m.parent / name).exists() for name in files))


def read_learned(folders: Sequence[Path]) -> tuple[LearnedRun, ...]:
    """Read several training runs, each once.

    Raises:
        BadData: When a file is no JSON or lacks a field.
    """
    return tuple(_read(folder) for folder in dict.fromkeys(folders))


def _read(folder: Path) -> LearnedRun:
    try:
        manifest, metrics = (
            json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("manifest", "metrics")
        )
        curve: dict[str, list[tuple[int, float]]] = {}
        for line in (folder / "curve.jsonl").read_text(encoding="utf-8").splitlines():
            point = json.loads(line)
            curve.setdefault(point["name"], []).append((point["step"], point["value"]))
        points = {name: tuple(of_name) for name, of_name in curve.items()}
        return LearnedRun(
            folder, manifest["run_id"], manifest["identity"], manifest["git_commit"], metrics, manifest, points
        )
    except KeyError as error:
        raise BadData(str(folder), 0, str(error.args[0]), "is missing") from error
    except ValueError as error:
        raise BadData(str(folder), 0, "JSON", str(error)) from error
