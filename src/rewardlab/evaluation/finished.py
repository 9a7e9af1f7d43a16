"""Finished run folders as typed records: what every claim, table, figure and page is made from.

A folder is read only when it has a manifest, which a run writes last, and only when its files belong together: the
manifest's identity, its rows, its item grades and its metrics must tell of one run. Anything else is refused, because
a table made from half a run looks like any other table. Nothing here is graded again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardlab.benchmarks.protocol import ItemGrade
from rewardlab.errors import BadData, MissingRequirement, UserError
from rewardlab.judges.content_blind import RULES, name_of
from rewardlab.store.folder import read_items, read_rows
from rewardlab.store.identity import run_id
from rewardlab.verdict import Usage


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """One arm on one benchmark.

    Attributes:
        folder: Where it lies.
        run_id: Names its identity.
        identity: The flat identity.
        commit: Checked-out commit when it finished.
        command: The command line that finished it.
        benchmark: Name of the benchmark.
        judge: Name of the judge.
        setting: The information setting.
        model: The model's name as its server or files report it; "" for a judge without a model.
        metrics: Content of metrics.json.
        manifest: Content of manifest.json.
        usage: What all judgments cost, superseded attempts included.
        judgments: How many rows there are.
        items: One grade an item.
        choices: Task id to how many candidates stood beside one another.
        first_chosen: Share of choices that fell on the candidate shown first; None where nothing was chosen from.
    """

    folder: Path
    run_id: str
    identity: Mapping[str, str]
    commit: str
    command: str
    benchmark: str
    judge: str
    setting: str
    model: str
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any]
    usage: Usage
    judgments: int
    items: tuple[ItemGrade, ...]
    choices: Mapping[str, int]
    first_chosen: float | None

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.identity["seed"])

    @property
    def protocol(self) -> str:
        """Whose rules it followed."""
        return self.identity["protocol"]

    @property
    def dataset(self) -> str:
        """Benchmark with the split, form or mode that it was run in."""
        parts = (self.identity.get(f"data.{part}", "") for part in ("split", "form", "mode"))
        return " ".join([self.benchmark, *filter(None, parts)])

    @property
    def asks_no_model(self) -> bool:
        """Whether nothing was asked of any model: a content-blind rule, or verifiers alone."""
        return not self.model and self.usage.calls == 0

    @property
    def is_blind(self) -> bool:
        """Whether its judge reads nothing: the floor that other rows are read against."""
        return self.asks_no_model and self.judge in map(name_of, RULES)

    @property
    def trace(self) -> str:
        """Where a number comes from, for the reader of a cell."""
        return f"run {self.run_id}, commit {self.commit}, {self.judgments} rows"

    @property
    def why_no_choice(self) -> str:
        """Why `first_chosen` may be None."""
        compared = any(shown > 1 for shown in self.choices.values())
        return "no choice could be read" if compared else "candidates were rated one at a time"

    @property
    def selects(self) -> bool:
        """Whether it selected one of N candidates for each prompt; its figures are those of best of N."""
        return "selections" in self.metrics


def read_run(folder: Path) -> FinishedRun:
    """Read a finished run.

    Args:
        folder: A run folder as `rewardlab.store.folder` writes it.

    Raises:
        MissingRequirement: When there is no such folder, or the run in it has not finished.
        BadData: When a file is no JSON, lacks a field or breaks its schema.
        UserError: When the files of the folder belong to different runs.
    """
    manifest = _read_json(folder / "manifest.json")
    metrics = _read_json(folder / "metrics.json")
    rows, choices, position = 0, dict[str, int](), Counter[bool]()
    for judgment in read_rows(folder / "rows.jsonl.zst"):  # one at a time: there may be very many
        rows += 1
        choices[judgment.task_id] = len(judgment.order)
        if len(judgment.order) > 1 and judgment.verdict.choice is not None:
            position[judgment.verdict.choice == judgment.order[0]] += 1
    try:
        run = FinishedRun(
            folder=folder,
            run_id=manifest["run_id"],
            identity=manifest["identity"],
            commit=manifest["git_commit"],
            command=manifest["command"],
            benchmark=manifest["benchmark"],
            judge=manifest["judge"],
            setting=manifest["setting"],
            model=manifest["model"].get("model", ""),
            metrics=metrics,
            manifest=manifest,
            usage=Usage(**manifest["usage"]),
            judgments=manifest["judgments"],
            items=tuple(ItemGrade(**item) for item in read_items(folder / "items.jsonl.zst")),
            choices=choices,
            first_chosen=position[True] / position.total() if position else None,
        )
        _refuse_mixture(run, rows)
    except KeyError as error:
        raise BadData(str(folder / "manifest.json"), 0, str(error.args[0]), "is missing") from error
    except TypeError as error:
        raise BadData(str(folder), 0, "usage or items", str(error)) from error
    return run


def read_runs(folders: Sequence[Path]) -> tuple[FinishedRun, ...]:
    """Read several finished runs, each once. Raises as `read_run` does."""
    return tuple(read_run(folder) for folder in dict.fromkeys(folders))


def finished_folders(root: Path) -> list[Path]:
    """Every folder below `root` that holds a finished run, sorted. A manifest without rows is MLflow's copy."""
    return sorted(m.parent for m in root.rglob("manifest.json") if (m.parent / "rows.jsonl.zst").exists())


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        problem = f"{path.parent} holds no finished run: there is no {path.name}"
        raise MissingRequirement(problem, "start the same command again, which finishes the run")
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadData(str(path), 0, "JSON", str(error)) from error
    return content


def _refuse_mixture(run: FinishedRun, rows: int) -> None:
    """Raise UserError when the files of a folder do not tell of one run."""
    stored = run.folder / "identity.json"
    found = {
        "the run id of its identity": (run.run_id, run_id(run.identity)),
        "benchmark in metrics.json": (run.benchmark, run.metrics["benchmark"]),
        "judge in metrics.json": (run.judge, run.metrics["judge"]),
        "rows in rows.jsonl.zst": (run.judgments, rows),
        "rows in metrics.json": (run.judgments, run.metrics["summary"]["judgments"]),
    }
    if stored.exists():
        found["identity.json"] = (run.run_id, run_id(_read_json(stored)))
    wrong = [f"  {what}: {there}, the manifest says {said}" for what, (said, there) in found.items() if said != there]
    if wrong:
        raise UserError(f"{run.folder} mixes files of different runs; run it anew.\n" + "\n".join(wrong))
