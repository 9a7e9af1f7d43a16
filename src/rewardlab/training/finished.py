"""Finished training runs of process reward models as typed records: what claims and tables about them are made from.

A folder counts when it has a manifest, which a run writes last. Nothing is computed by a model again: every number
comes from the rows that the run kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardlab.errors import BadData
from rewardlab.store.folder import read_items
from rewardlab.training.process_metrics import Named, Scored, chosen_threshold

OUTPUTS = "outputs.jsonl.zst"  # in a run folder


@dataclass(frozen=True, slots=True)
class TrainedProcess:
    """A finished training run of a process reward model.

    Attributes:
        folder: Where it lies.
        run_id: Names its identity.
        identity: The flat identity.
        commit: Checked-out commit when it finished.
        named: Where the annotators put the first error of each training solution.
        scored: What the model says of each validation and test solution.
        threshold: The one that is best on the validation solutions.
    """

    folder: Path
    run_id: str
    identity: Mapping[str, str]
    commit: str
    named: tuple[Named, ...]
    scored: tuple[Scored, ...]
    threshold: float

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.identity["seed"])

    @property
    def labels(self) -> str:
        """Which labels it was trained on."""
        return self.identity["method.labels"]

    @property
    def trace(self) -> str:
        """Where a number comes from, for the reader of a cell."""
        return f"run {self.run_id}, commit {self.commit}"


def read_trained_process(folder: Path) -> TrainedProcess:
    """Read a finished training run.

    Args:
        folder: A run folder of `rewardlab.training.run`.

    Raises:
        MissingRequirement: When a file is missing.
        BadData: When the manifest lacks a field, or a row breaks its schema.
    """
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows = list(read_items(folder / OUTPUTS))
    try:
        scored = tuple(Scored(**{**row, "steps": tuple(row["steps"])}) for row in rows if "steps" in row)
        return TrainedProcess(
            folder=folder,
            run_id=manifest["run_id"],
            identity=manifest["identity"],
            commit=manifest["git_commit"],
            named=tuple(Named(**row) for row in rows if "named" in row),
            scored=scored,
            threshold=chosen_threshold(scored),
        )
    except (KeyError, TypeError) as error:
        raise BadData(str(folder), 0, "manifest or rows", str(error)) from error


def trained_processes(root: Path) -> list[TrainedProcess]:
    """Every finished training run of a process reward model below a folder, by folder name."""
    manifests = sorted(root.rglob("manifest.json"))
    return [read_trained_process(m.parent) for m in manifests if _method(m) == "process"]


def _method(manifest: Path) -> Any:
    return json.loads(manifest.read_text(encoding="utf-8")).get("method")
