from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rewardlab.claims.registry import PolicyPrediction
from rewardlab.claims.ruling import State
from rewardlab.claims.taught import policy_verdict
from rewardlab.report.learned import LearnedRun, read_learned
from tests.report.learned import policy

TERMS = [
    {"figure": "test/accuracy", "training": {"id": "skill", "identity": {"method.reward.names": "skill"}}},
    {
        "weight": -1,
        "figure": "test/accuracy",
        "training": {"id": "rules", "identity": {"method.reward.names": "rules"}},
    },
]


def claim(low: float | None, high: float | None = None, **more: Any) -> PolicyPrediction:
    fields = {"id": "toy", "experiment": "run", "terms": TERMS, "predicted": {"low": low, "high": high}}
    planned = {"seeds": 5, "registered": date(2026, 1, 1), "reasoning": "why"}
    return PolicyPrediction.model_validate({**fields, **planned, **more})


@pytest.fixture
def runs(tmp_path: Path) -> list[LearnedRun]:
    """Five seeds of two rewards: the seeds differ much, and within a seed skill is 0.2 above rules, give or take."""
    noise = [0.02, -0.02, 0.01, -0.01, 0.0]
    folders = [
        policy(tmp_path, reward, seed, 0.3 + 0.1 * seed + (0.2 + noise[seed] if reward == "skill" else 0.0))
        for reward in ("rules", "skill")
        for seed in range(5)
    ]
    return list(read_learned(folders))


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        pytest.param(0.1, None, State.REPRODUCED, id="inside"),
        pytest.param(None, 0.1, State.CONTRADICTED, id="outside"),
        pytest.param(0.2, None, State.INCONCLUSIVE, id="crossing"),
    ],
)
def test_seeds_are_compared_with_themselves(
    runs: list[LearnedRun], low: float | None, high: float | None, state: State
) -> None:
    ruling = policy_verdict(claim(low, high), runs)
    assert ruling.state is state and len(ruling.runs) == 10 and ruling.effect is not None
    interval = ruling.effect.interval
    assert interval.point == pytest.approx(0.2) and interval.n == 5
    assert interval.low == pytest.approx(0.2 - 2.776 * 0.0158114 / 5**0.5, abs=1e-4)


def test_nothing_is_decided_by_less_than_was_planned(runs: list[LearnedRun], tmp_path: Path) -> None:
    assert policy_verdict(claim(0.1), runs[:5]).state is State.NOT_RUN
    fewer = policy_verdict(claim(0.1), runs[1:])
    assert fewer.state is State.INCONCLUSIVE and "4 seeds, where 5" in fewer.why
    twice = policy_verdict(claim(0.1), [*runs, runs[0]])
    assert twice.state is State.INCONCLUSIVE and "several runs of one seed" in twice.why
    unknown = [{**TERMS[0], "figure": "nowhere/accuracy"}]
    assert policy_verdict(claim(0.1, terms=unknown), runs).state is State.NOT_RUN
