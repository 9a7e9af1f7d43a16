from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from rewardlab.claims.registry import Claims, load_claims
from rewardlab.claims.ruling import Ruling, verdicts
from rewardlab.claims.taught import policy_verdicts
from rewardlab.evaluation.finished import FinishedRun, read_runs
from rewardlab.report.frame import Frame
from rewardlab.report.latex import to_latex
from rewardlab.report.markdown import to_markdown
from rewardlab.report.tables.claims import predicted_claims, reported_claims
from tests.report.tables.cells import cell


@pytest.fixture(scope="module")
def claims(root: Path) -> Claims:
    return load_claims(root / "paper" / "claims.yaml")


def fitted(claims: Claims, name: str, run: FinishedRun) -> FinishedRun:
    """The run as it would be were it the one that a prediction asks for."""
    (claim,) = [c for c in claims.predictions if c.id == name]
    identity = {**run.identity, **claim.data.identity, **claim.arm.identity, "data.sha256": claim.data.sha256[0]}
    return dataclasses.replace(run, identity=identity, model=claim.model, benchmark=claim.data.benchmark)


@pytest.fixture(scope="module")
def rulings(claims: Claims, folders: Sequence[Path]) -> tuple[Ruling, ...]:
    (direct,) = read_runs(folders[:1])
    return verdicts(claims.all, [fitted(claims, "judgebench/direct/official", direct)])


@pytest.fixture(scope="module")
def frames(claims: Claims, rulings: tuple[Ruling, ...]) -> tuple[Frame, Frame]:
    return reported_claims(claims, rulings), predicted_claims(claims, rulings)


def test_every_claim_has_a_row(claims: Claims, frames: tuple[Frame, Frame]) -> None:
    reported, predicted = ([row[0].text for row in frame.rows] for frame in frames)
    assert reported == [claim.id for claim in claims.reported]
    assert predicted == [claim.id for claim in claims.predictions]


def test_no_cell_is_empty_without_a_reason(frames: tuple[Frame, Frame]) -> None:
    for frame in frames:
        assert all(x.note for row in frame.rows for x in row if x.text == "–"), frame.name


def test_the_caption_counts_the_verdicts(frames: tuple[Frame, Frame]) -> None:
    reported, predicted = frames
    # The run is of the static judge on JudgeBench, which the paper reports for two backbones.
    assert reported.caption.startswith("89 claims: 87 not run, 2 other setting.")
    assert "F1: RM-Bench shows" in reported.caption
    assert "before the runs that decide them" in predicted.caption


def test_a_prediction_shows_our_figure_and_its_verdict(
    frames: tuple[Frame, Frame], rulings: tuple[Ruling, ...], folders: Sequence[Path]
) -> None:
    _, predicted = frames
    name = "judgebench/direct/official"
    assert cell(predicted, name, "predicted").text == "≤ 25.0"
    ours = cell(predicted, name, "ours [95 % CI]")
    (direct,) = read_runs(folders[:1])
    assert ours.value == pytest.approx(100 * direct.metrics["official"]["accuracy"])
    assert ours.trace == direct.trace
    (ruling,) = [r for r in rulings if r.claim.id == name]
    assert cell(predicted, name, "verdict").text == ruling.state.value == "inconclusive"
    detectable = cell(predicted, name, "detectable").value
    assert detectable is not None and 5 < detectable < 50
    assert cell(predicted, "embedded/direct/accuracy", "verdict").text == "not run"
    assert cell(predicted, "embedded/direct/accuracy", "predicted").text == "40.0 to 60.0"


def test_a_reported_number_names_both_settings(frames: tuple[Frame, Frame]) -> None:
    reported, _ = frames
    name = "main/direct/standard/judgebench"
    assert cell(reported, name, "verdict").text == "other setting"
    why = cell(reported, name, "why").text
    assert "model Qwen3.5-27B" in why and "model SmolLM2-135M-Instruct" in why


def test_the_tables_fit_the_terminal_and_latex(frames: tuple[Frame, Frame]) -> None:
    for frame in frames:
        lines = to_markdown(frame.brief()).splitlines()
        assert max(len(line) for line in lines if line.startswith("|")) <= 160
        assert to_latex(frame.brief(), frame.name)


def test_lengths_are_in_words_and_shares_in_points(claims: Claims) -> None:
    predicted = predicted_claims(claims, policy_verdicts(claims.taught, []))
    assert cell(predicted, "rl/length/rules_below_skill", "predicted").text == "≤ −3.0"
    assert cell(predicted, "rl/share/skill_over_rules", "predicted").text == "≥ +3.0"
