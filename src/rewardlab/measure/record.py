"""Figures on the disk: a JSON file each, and one table of all that a folder holds.

A file keeps the machine that its figure was taken on, so figures may be taken one at a time; the table says which
machines there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rewardlab.measure.ratio import Ratio
from rewardlab.report.frame import Cell, Column, Frame, decimal, empty
from rewardlab.report.markdown import to_markdown
from rewardlab.store.atomic import write_json, write_text

TITLE = "# Speed and size\n\nMade by `python experiments/measure.py`; configs/measure.yaml names the figures.\n\n"
COLUMNS = (
    Column("figure", "name in configs/measure.yaml", numeric=False),
    Column("what", numeric=False),
    Column("measured"),
    Column("reference"),
    Column("against", "what the reference is", numeric=False),
    Column("ratio", "measured by reference"),
    Column("asked", "bound on the ratio, where there is one"),
    Column("met", numeric=False),
)


def write_figure(folder: Path, name: str, machine: Mapping[str, Any], ratios: Sequence[Ratio]) -> None:
    """Write one figure's file in place of an earlier one. Raises StorageError when that cannot be done."""
    write_json(folder / f"{name}.json", {"machine": machine, "ratios": [asdict(ratio) for ratio in ratios]})


def write_table(folder: Path) -> str:
    """Write table.md from all figures of a folder, and return it."""
    found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}
    rows = tuple(_row(name, Ratio(**ratio)) for name, figure in found.items() for ratio in figure["ratios"])
    machines = dict.fromkeys(_described(figure["machine"]) for figure in found.values())
    loads = ", ".join(f"{name} {figure['machine']['load']:g}" for name, figure in found.items())
    caption = f"Each ratio is of two numbers of one run. {' '.join(machines)} Load before each figure: {loads}."
    text = TITLE + to_markdown(Frame("measured", "Measured", caption, COLUMNS, rows), 2)
    write_text(folder / "table.md", text)
    return text


def _row(figure: str, ratio: Ratio) -> tuple[Cell, ...]:
    asked = empty("nothing is asked")
    if ratio.at_least is not None:
        asked = Cell(f"≥ {ratio.at_least:g}")
    elif ratio.at_most is not None:
        asked = Cell(f"≤ {ratio.at_most:g}")
    met = Cell("yes" if ratio.met else "NO") if asked.text != "–" else asked
    numbers = (Cell(f"{_rounded(value)} {ratio.unit}") for value in (ratio.measured, ratio.reference))
    return (
        Cell(figure), Cell(ratio.what), *numbers, Cell(ratio.against), Cell(_rounded(ratio.ratio)), asked, met,
    )  # fmt: skip


def _rounded(value: float) -> str:
    """Three digits or more."""
    return decimal(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def _described(machine: Mapping[str, Any]) -> str:
    versions = machine["versions"]
    named = ", ".join(f"{name} {versions[name]}" for name in ("python", "torch", "transformers", "lightning"))
    return (
        f"Machine: {machine['cores']} cores, {machine['processor']}, {machine['memory_gb']:g} GB, {machine['system']}; "
        f"{named}; commit {machine['commit']}."
    )
