from __future__ import annotations

from pathlib import Path

import pytest

from rewardlab.evaluation.finished import read_run
from rewardlab.judgment_traces import sampled, steps
from rewardlab.verdict import Event
from tests.report.finished import model_arm, small_benchmark


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("traced")
    benchmark = small_benchmark(place / "data", questions=6)
    return [
        model_arm(place / "toy", benchmark, "direct", right=0.5),
        model_arm(place / "toy", benchmark, "other", right=0.9, silent=0.1),
    ]


def test_flips_come_first(arms: list[Path]) -> None:
    base, other = read_run(arms[0]), read_run(arms[1])
    found = sampled(other, base, 100)
    flips = [flipped for _, flipped in found]
    assert len(found) == 12 and any(flips) and flips == sorted(flips, reverse=True)
    credit, theirs = ({item.item: item.strict for item in run.items} for run in (other, base))
    assert all((credit[t.judgment.task_id] != theirs[t.judgment.task_id]) == flipped for t, flipped in found)
    assert sampled(other, None, 0) == []


def test_tools_votes_and_the_readout_are_steps_of_their_own() -> None:
    trace = (
        Event("prompt", {"messages": [{"role": "user", "content": "judge"}]}),
        Event("reply", {"text": "", "tool_calls": [{"name": "run_resource", "arguments": "{}"}]}),
        Event("tool", {"name": "run_resource", "arguments": "{}", "result": "7 is not 8", "ok": True}),
        Event("prompt", {"messages": [{"role": "user", "content": "go on"}]}),
        Event("reply", {"text": "A"}),
        Event("readout", {"own": {"A": 1.0}}),
        Event("vote", {"status": "ok"}),
        Event("prompt", {"messages": [{"role": "user", "content": "no answer came"}]}),
    )
    found = list(steps(trace))
    kinds = [(step.name, step.kind) for step in found]
    assert kinds == [
        ("model call", "LLM"),
        ("run_resource", "TOOL"),
        ("model call", "LLM"),
        ("readout", "PARSER"),
        ("vote", "AGENT"),
        ("model call", "LLM"),
    ]
    assert found[1].inputs == "{}" and found[1].outputs == {"result": "7 is not 8", "ok": True}
    assert found[2].inputs == {"messages": [{"role": "user", "content": "go on"}]}
    assert found[5].outputs is None
