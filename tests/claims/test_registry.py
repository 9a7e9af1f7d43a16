from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from rewardlab.claims.needs import needs
from rewardlab.claims.registry import BadClaims, Claims, load_claims
from rewardlab.errors import MissingRequirement
from rewardlab.evaluation.profile import arms
from rewardlab.store.identity import make_identity

Raw = dict[str, Any]
ADAPTERS = ("static", "static_tokens", "reasoned", "reasoned_tokens", "skill")


@pytest.fixture(scope="module")
def claims(root: Path) -> Claims:
    return load_claims(root / "paper" / "claims.yaml")


def small() -> Raw:
    """A register with one entry in each section."""
    return {
        "registration": "before the runs",
        "faults": [{"id": "F1", "text": "The right answer comes first."}],
        "arms": [{"id": "direct", "judge": "direct", "setting": "standard", "overrides": "judge=direct"}],
        "data": [{"id": "toy", "benchmark": "toy", "identity": {"limit": "null"}, "overrides": "benchmark=toy"}],
        "reported": [
            {
                "id": "main/direct",
                "source": "a paper",
                "table": "main",
                "method": "direct",
                "backbone": "M",
                "setting": "standard",
                "benchmark": "toy",
                "metric": "accuracy %",
                "value": 50.0,
                "trust": "second-hand",
                "note": "",
                "faults": ["F1"],
                "arm": "direct",
                "data": ["toy"],
                "model": "M",
            }
        ],
        "predictions": [
            {
                "id": "toy/direct",
                "experiment": "python run.py",
                "arm": "direct",
                "data": "toy",
                "model": "M",
                "metric": "strict",
                "predicted": {"low": 0.4, "high": 0.6},
                "test": "interval",
                "n": 20,
                "registered": "2026-01-01",
                "reasoning": "Chance.",
            }
        ],
        "trainings": [
            {"id": "hard", "identity": {"method.labels": "mc_hard"}},
            {"id": "soft", "identity": {"method.labels": "mc_soft"}},
        ],
        "trained": [
            {
                "id": "toy/labels",
                "experiment": "python run.py",
                "terms": [
                    {"figure": "at_0.5/f1", "training": "hard"},
                    {"weight": -0.5, "figure": "at_0.5/f1", "training": "soft"},
                ],
                "predicted": {"low": 0.0},
                "seeds": 5,
                "n": 20,
                "registered": "2026-01-01",
                "reasoning": "Noise.",
            }
        ],
        "taught": [
            {
                "id": "toy/policy",
                "experiment": "python run.py",
                "terms": [
                    {"figure": "test/accuracy", "training": "hard"},
                    {"weight": -1, "figure": "test/accuracy", "training": "soft"},
                ],
                "predicted": {"low": 0.0},
                "seeds": 5,
                "registered": "2026-01-01",
                "reasoning": "Exact rewards.",
            }
        ],
    }


def written(raw: object, folder: Path) -> Path:
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_references_are_put_in_their_place(tmp_path: Path) -> None:
    claims = load_claims(written(small(), tmp_path))
    assert claims.reported[0].faults == claims.faults
    assert claims.reported[0].arm == claims.predictions[0].arm == claims.arms[0]
    assert claims.reported[0].data == (claims.predictions[0].data,) == claims.data
    assert claims.reported[0].share == 0.5
    assert tuple(term.training for term in claims.trained[0].terms) == claims.trainings
    assert claims.trained[0].figure == "at_0.5/f1: hard − 0.5 soft"
    assert claims.taught[0].figure == "test/accuracy: hard − soft" and claims.taught[0].n == 5


@pytest.mark.parametrize(
    "spoil, named",
    [
        pytest.param(
            lambda r: r["reported"][0].update(valeu=1), r"main/direct, field valeu: Extra", id="unknown field"
        ),
        pytest.param(lambda r: r.update(extra=1), r"extra: Extra", id="unknown section"),
        pytest.param(
            lambda r: r["arms"][0].update(name="x"), r"arms, direct, field name: Extra", id="unknown field of an arm"
        ),
        pytest.param(lambda r: r["reported"].append(r["reported"][0]), r"main/direct: 2 entries", id="repeated id"),
        pytest.param(
            lambda r: r["reported"][0].pop("source"), r"main/direct, field source: .*required", id="no source"
        ),
        pytest.param(lambda r: r["reported"][0].update(source=""), r"main/direct, field source", id="empty source"),
        pytest.param(lambda r: r["reported"][0].pop("id"), r"entry 1, field id: .*required", id="no id"),
        pytest.param(lambda r: r["reported"][0].update(value="high"), r"main/direct, field value", id="no number"),
        pytest.param(
            lambda r: r["reported"][0].update(arm="dirct"), r"main/direct: .*Did you mean direct", id="no arm"
        ),
        pytest.param(lambda r: r["reported"][0].update(faults=["F9"]), r"main/direct: .*'F9'", id="no such fault"),
        pytest.param(
            lambda r: r["predictions"][0].update(predicted={"low": 0.6, "high": 0.4}),
            r"toy/direct, field predicted: .*not below",
            id="empty range",
        ),
        pytest.param(
            lambda r: r["predictions"][0].update(predicted={}), r"toy/direct, field predicted: .*neither", id="no size"
        ),
        pytest.param(
            lambda r: r["predictions"][0].update(test="paired interval"), r"toy/direct: .*paired", id="pair of one arm"
        ),
        pytest.param(lambda r: r["predictions"][0].update(metric="luck"), r"toy/direct, field metric", id="no metric"),
        pytest.param(lambda r: r.pop("arms"), r"arms: expected a list", id="no section"),
        pytest.param(lambda r: r["data"].append("toy"), r"data: expected a list of entries", id="no entry"),
    ],
)
def test_a_bad_entry_is_refused_by_name(spoil: Callable[[Raw], object], named: str, tmp_path: Path) -> None:
    raw = small()
    spoil(raw)
    with pytest.raises(BadClaims, match=named):
        load_claims(written(raw, tmp_path))


@pytest.mark.parametrize("text", ["- a list", "{", "a word"])
def test_what_is_no_register_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(BadClaims, match="whole file"):
        load_claims(path)


def test_a_missing_register_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingRequirement, match=r"claims\.yaml"):
        load_claims(tmp_path / "claims.yaml")


def test_the_register_has_every_reported_number(claims: Claims, shared_data: Path) -> None:
    listed = shared_data.parent / "reported.csv"
    if not listed.is_file():
        pytest.skip("needs the list of reported numbers")
    with listed.open() as file:
        rows = list(csv.DictReader(file))
    assert len(claims.reported) == len(rows)
    for row, claim in zip(rows, claims.reported, strict=True):
        # Two ids of the list stand for two backbones each; the second one has its backbone appended here.
        assert claim.id in (row["id"], f"{row['id']}/{row['backbone'].lower()}")
        assert claim.value == float(row["value"])
        for field in ("table", "method", "backbone", "setting", "benchmark", "metric", "trust"):
            assert getattr(claim, field) == row[field], (claim.id, field)


def test_averages_add_up(claims: Claims) -> None:
    """A cell that was copied wrongly would not agree with the average of its row, except where a note says so."""
    cells = {(c.method, c.backbone, c.setting, c.benchmark): c.value for c in claims.reported if c.table == "main"}
    checked = 0
    for (*arm, benchmark), value in cells.items():
        parts = [cells.get((*arm, name)) for name in ("rewardbench2", "rmbench", "judgebench")]
        if benchmark == "average" and None not in parts:
            mean = sum(part for part in parts if part is not None) / 3
            assert value == pytest.approx(mean, abs=0.08), arm
            checked += 1
    assert checked >= 10


@pytest.mark.parametrize(("profile", "count"), [("embedded", 12), ("tuning", 14), ("tuning_heldout", 2)])
def test_predictions_bind_to_the_runs_of_their_profile(claims: Claims, root: Path, profile: str, count: int) -> None:
    """Every field that a prediction fixes is one that the profile's runs have, so that it can get a verdict."""
    adapters = [f"profile.adapters.{name}=FOLDER" for name in ADAPTERS if profile != "embedded"]
    found = {}
    with initialize_config_dir(str(root / "configs"), version_base=None):
        configs = [
            compose("evaluate", overrides=overrides)
            for overrides in arms(compose("reproduce", overrides=[f"profile={profile}", *adapters]))
        ]
        data = instantiate(configs[0].benchmark, per_family=1).identity()
        for config in configs:
            parts = {key: config[key] for key in ("seed", "limit", "repeats", "protocol")}
            decided = {key: OmegaConf.to_container(config[key], resolve=True) for key in ("judge", "benchmark")}
            name = config.judge.get("name") or config.judge.get("rule") or "verifier_only"
            found[name] = make_identity({"config": decided, "data": data, **parts})
    predictions = [p for p in claims.predictions if p.experiment.endswith(f"profile={profile}")]
    assert len(predictions) >= count
    for prediction in predictions:
        for need in needs(prediction):
            for field, wanted in need.wanted().items():
                if field != "setting" and field.partition(".")[0] != "model":  # no config says what a model is
                    assert found[need.arm.judge].get(field) == wanted, (prediction.id, field)
