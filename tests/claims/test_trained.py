from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rewardlab.claims.registry import Claims, TrainedPrediction
from rewardlab.claims.ruling import State
from rewardlab.claims.trained import trained_verdict
from rewardlab.report.tables.claims import predicted_claims
from rewardlab.training.finished import TrainedProcess
from tests.training.processes import by_seed, trained

RUNS = [*by_seed("gold", 0.95).values(), *by_seed("mc_hard", 0.4).values()]


def claim(low: float | None, high: float | None = None, **more: Any) -> TrainedPrediction:
    terms = [
        {"figure": "at_0.5/error_accuracy", "training": {"id": "gold", "identity": {"method.labels": "gold"}}},
        {
            "weight": -1,
            "figure": "at_0.5/error_accuracy",
            "training": {"id": "mc", "identity": {"method.labels": "mc_hard"}},
        },
    ]
    fields = {"id": "toy", "experiment": "run", "terms": terms, "predicted": {"low": low, "high": high}}
    planned = {"seeds": 5, "n": 40, "registered": date(2026, 1, 1), "reasoning": "why"}
    return TrainedPrediction.model_validate({**fields, **planned, **more})


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        pytest.param(0.2, None, State.REPRODUCED, id="inside"),
        pytest.param(None, 0.0, State.CONTRADICTED, id="outside"),
        pytest.param(0.55, None, State.INCONCLUSIVE, id="crossing"),
    ],
)
def test_the_interval_decides(low: float | None, high: float | None, state: State) -> None:
    ruling = trained_verdict(claim(low, high), RUNS)
    assert ruling.state is state and len(ruling.runs) == 10
    assert (ruling.detectable is not None) is (state is State.INCONCLUSIVE)
    if ruling.detectable is not None:
        assert ruling.detectable.value is not None and 0 < ruling.detectable.value < 0.3


@pytest.mark.parametrize(
    ("runs", "more", "state", "why"),
    [
        pytest.param(RUNS[:5], {}, State.NOT_RUN, "needs mc: run", id="a training is missing"),
        pytest.param(RUNS[:9], {}, State.INCONCLUSIVE, "4 seeds, where 5", id="a seed is missing"),
        pytest.param([*RUNS, trained("gold", 0, 0.9)], {}, State.INCONCLUSIVE, "of one seed", id="two of one seed"),
        pytest.param(RUNS, {"n": 41}, State.INCONCLUSIVE, "40 items, where 41", id="too few problems"),
    ],
)
def test_nothing_is_decided_by_less_than_was_planned(
    runs: list[TrainedProcess], more: dict[str, int], state: State, why: str
) -> None:
    ruling = trained_verdict(claim(0.2, **more), runs)
    assert ruling.state is state and why in ruling.why


def test_the_table_shows_it_beside_other_predictions() -> None:
    claims = Claims(
        registration="before",
        faults=(),
        arms=(),
        data=(),
        trainings=(),
        reported=(),
        predictions=(),
        trained=(),
        taught=(),
    )
    frame = predicted_claims(claims, [trained_verdict(claim(0.2), RUNS), trained_verdict(claim(0.2), [])])
    shown = [[cell.text for cell in row[:5]] for row in frame.rows]
    assert shown[0][1:3] == ["at_0.5/error_accuracy: gold − mc", "≥ +20.0"] and shown[0][4] == "reproduced"
    assert shown[1][3:] == ["–", "not run"]
    assert all(cell.note for row in frame.rows for cell in row if cell.text == "–")
