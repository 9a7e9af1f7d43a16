from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewardlab.measure.machine import describe
from rewardlab.measure.ratio import Ratio
from rewardlab.measure.record import write_figure, write_table

FAST = Ratio("calls/s", 180.0, "the old way", 60.0, "1/s", at_least=2, raw={"calls": [1, 2]})
LARGE = Ratio("peak memory", 900.0, "a tenth of the rows", 500.0, "MB", at_most=1.1)


@pytest.mark.parametrize(("ratio", "met"), [(FAST, True), (LARGE, False), (Ratio("x", 1, "y", 2, "s"), True)])
def test_a_ratio_is_held_against_what_is_asked(ratio: Ratio, met: bool) -> None:
    assert ratio.ratio == ratio.measured / ratio.reference
    assert ratio.met is met


def test_figures_taken_one_at_a_time_share_a_table(tmp_path: Path) -> None:
    write_figure(tmp_path, "speed", describe(), [FAST])
    write_figure(tmp_path, "memory", describe(), [LARGE])
    text = write_table(tmp_path)
    assert text == (tmp_path / "table.md").read_text(encoding="utf-8")
    speed, memory = (next(line for line in text.splitlines() if line.startswith(f"| {n}")) for n in ("speed", "memory"))
    assert [cell.strip() for cell in speed.split("|")[3:-1]] == [
        "180 1/s",
        "60.0 1/s",
        "the old way",
        "3.00",
        "≥ 2",
        "yes",
    ]
    assert [cell.strip() for cell in memory.split("|")[6:-1]] == ["1.80", "≤ 1.1", "NO"]
    assert json.loads((tmp_path / "speed.json").read_text())["ratios"][0]["raw"] == {"calls": [1, 2]}


def test_the_machine_is_described_and_not_named() -> None:
    import platform

    found = describe()
    assert found["cores"] >= 1
    assert found["memory_gb"] > 0
    assert platform.node() not in json.dumps(found)
