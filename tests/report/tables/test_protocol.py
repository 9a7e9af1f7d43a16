from __future__ import annotations

from pathlib import Path

import pytest

from rewardlab.evaluation.finished import read_runs
from rewardlab.evaluation.plan import Protocol
from rewardlab.judges.content_blind import ContentBlind
from rewardlab.report.tables.protocol import protocols
from tests.report.finished import finish, small_benchmark


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("protocols")
    benchmark = small_benchmark(parent / "data")
    for rule in ("first", "longest"):
        finish(parent / "audited", benchmark, ContentBlind(rule, 0))
    finish(parent / "released", benchmark, ContentBlind("first", 0), protocol=Protocol.RELEASED)
    return parent


def test_a_judge_that_ran_under_both_protocols_is_a_row(place: Path) -> None:
    runs = read_runs(sorted(place.glob("*/*-*")))
    frame = protocols(runs)
    assert frame is not None
    (row,) = frame.rows
    released = next(run for run in runs if run.protocol == "released")
    audited = next(run for run in runs if run.protocol == "audited" and run.judge == "always_first")
    texts = [x.text for x in row]
    assert texts[1:3] == ["always_first", "40"]
    assert row[3].value == pytest.approx(100 * released.metrics["official"]["accuracy"])
    assert row[5].value == pytest.approx(100 * audited.metrics["strict"]["accuracy"])
    credit = {item.item: item.official or 0.0 for item in audited.items}
    gap = sum((item.official or 0.0) - credit[item.item] for item in released.items) / 40
    assert row[6].value == pytest.approx(100 * gap)
    assert released.run_id in row[6].trace and audited.run_id in row[6].trace


def test_without_a_judge_under_both_there_is_no_table(place: Path) -> None:
    assert protocols(read_runs(sorted(place.glob("audited/*-*")))) is None
