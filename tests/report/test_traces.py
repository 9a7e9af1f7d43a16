from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from rewardlab.benchmarks.judgebench import JudgeBench
from rewardlab.evaluation.finished import read_runs
from rewardlab.report.comparison import Comparison, compare
from rewardlab.report.traces import read_traces, script
from rewardlab.store.rows import RowStore, to_json


@pytest.fixture(scope="module")
def comparison(folders: list[Path]) -> Comparison:
    (found,) = compare(read_runs(folders), "direct")
    return found


def test_the_cap_holds_for_each_arm_with_a_model(comparison: Comparison) -> None:
    traces = read_traces(comparison, 3)
    assert [trace.arm for trace in traces] == ["direct"] * 3 + ["quiet"] * 3 + ["skill"] * 3
    assert read_traces(comparison, 0) == ()
    assert len(read_traces(comparison, None)) == 3 * 80


def test_memory_goes_with_the_cap_and_not_with_the_rows(comparison: Comparison) -> None:
    arm = comparison.arms[0]
    alone = replace(comparison, arms=(arm,))
    with RowStore(arm.run.folder / "rows.sqlite") as rows:
        texts = sum(len(to_json(judgment)) for judgment in rows.judgments())
    read_traces(alone, 1)  # whatever is made once
    tracemalloc.start()
    read_traces(alone, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < texts / 2


def test_items_with_another_credit_than_the_baselines_come_first(comparison: Comparison) -> None:
    base, _, skill = ({item.item: item.strict for item in arm.run.items} for arm in comparison.arms[:3])
    traces = [trace for trace in read_traces(comparison, 1000) if trace.arm == "skill"]
    assert len(traces) == 80
    flips = [trace.flipped for trace in traces]
    assert flips == sorted(flips, reverse=True) and any(flips) and not all(flips)
    assert all(t.flipped == (base[t.judgment.task_id] != skill[t.judgment.task_id]) for t in traces)


def test_steps_are_readable(comparison: Comparison) -> None:
    (kind, text), *_, (last, reply) = read_traces(comparison, 1)[0].steps
    assert kind == "prompt" and "[user]" in text and "What is" in text
    assert last == "reply" and "Verdict: " in reply


def test_a_run_without_its_row_store_has_no_traces(comparison: Comparison, tmp_path: Path) -> None:
    arm = comparison.arms[0]
    copy = Path(shutil.copytree(arm.run.folder, tmp_path / "run"))
    for file in copy.glob("rows.sqlite*"):
        file.unlink()
    arm = replace(arm, run=replace(arm.run, folder=copy))
    assert read_traces(replace(comparison, arms=(arm,)), 5) == ()
    assert not (copy / "rows.sqlite").exists()


def test_the_right_answer_stands_beside_the_verdict_where_the_run_kept_it(
    comparison: Comparison, benchmark_of_sums: JudgeBench
) -> None:
    gold = benchmark_of_sums.gold()
    traces = read_traces(comparison, None)
    assert all(trace.gold == gold[trace.judgment.task_id] for trace in traces)


def test_the_script_holds_every_judgment_and_equal_ones_give_equal_bytes(comparison: Comparison) -> None:
    traces = read_traces(comparison, 4)
    text = script("a-name", traces)
    assert text == script("a-name", read_traces(comparison, 4))
    match = re.fullmatch(r'rewardlabJudgments\("a-name", "([A-Za-z0-9+/=]+)"\);\n', text)
    assert match is not None
    rows = json.loads(gzip.decompress(base64.b64decode(match[1])))
    assert len(rows) == 12
    first = sorted(traces, key=lambda trace: not trace.flipped)
    place = next(i for i, trace in enumerate(first) if trace.judgment.verdict.choice)
    judgment, row = first[place].judgment, rows[place]
    (right,) = first[place].gold
    assert [row["flipped"] for row in rows] == sorted((row["flipped"] for row in rows), reverse=True)
    letters = dict(zip(judgment.order, "AB", strict=True))
    assert row["order"] == f"A ({judgment.order[0]}), B ({judgment.order[1]})"
    assert row["verdict"] == f"{letters[judgment.verdict.choice or '']} ({judgment.verdict.choice})"
    assert row["gold"] == f"{letters[right]} ({right})"
    assert "What is" in row["steps"][0][1]


def test_a_lone_surrogate_in_a_trace_reaches_the_page(comparison: Comparison) -> None:
    (trace, *_) = read_traces(comparison, 1)
    assert script("x", [replace(trace, steps=(("reply", "\ud800"),))])
