from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import trim_mean

from rewardlab.errors import BadData
from rewardlab.report.frame import Frame
from rewardlab.report.learned import learned_folders, read_learned
from rewardlab.report.tables.policy import arms, instruction_exams, policies
from tests.report.learned import policy
from tests.report.tables.cells import cell

HELD_OUT = {"rules": [0.30, 0.34, 0.31, 0.36, 0.33], "skill": [0.52, 0.47, 0.55, 0.50, 0.49]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("policies")
    for method, of_seed in HELD_OUT.items():
        for seed, held_out in enumerate(of_seed):
            policy(parent, method, seed, held_out)
    return parent


@pytest.fixture(scope="module")
def frame(place: Path) -> Frame:
    (found,) = policies(read_learned(learned_folders(place)))
    return found


def test_held_out_is_the_interquartile_mean_over_seeds_and_tasks(frame: Frame) -> None:
    shown = cell(frame, "skill", "held-out % [95 % CI]")
    scores = np.array([[x, x + 0.1] for x in HELD_OUT["skill"]])
    assert shown.value == pytest.approx(100 * trim_mean(scores, 0.25, axis=None))
    low, high = (float(end) for end in shown.small.strip("[]").split(", "))
    assert low < shown.value < high


def test_every_seed_of_an_arm_beats_the_baseline(frame: Frame) -> None:
    assert cell(frame, "skill", "P(better than rules) %").value == 100.0
    assert cell(frame, "rules", "P(better than rules) %").note == "the baseline"


def test_the_gap_is_reward_minus_the_share_that_graders_find(frame: Frame) -> None:
    share = np.mean(HELD_OUT["rules"]) + 0.2
    assert cell(frame, "rules", "share %").value == pytest.approx(100 * share)
    assert cell(frame, "rules", "gap").value == pytest.approx(100 * (0.9 - share))


def test_a_reward_that_tells_nothing_apart_has_no_gap(tmp_path: Path) -> None:
    (found,) = policies(read_learned([policy(tmp_path, "constant", 0, 0.3, promised=0.0, flat=1.0)]))
    assert cell(found, "constant", "gap").note == "it tells nothing apart"


def test_exams_of_instructions_have_a_table_of_their_own(place: Path, tmp_path: Path) -> None:
    levels = ("prompt_strict", "prompt_loose", "instruction_strict", "instruction_loose")
    for seed in (0, 1):
        policy(tmp_path, "skill", seed, 0.3, **{f"ifeval/{level}": 0.2 + seed / 10 for level in levels})
    policy(tmp_path, "rules", 0, 0.3)
    found = instruction_exams(read_learned(learned_folders(tmp_path)))
    assert found is not None
    assert cell(found, "skill", "ifeval prompt, strict %").value == pytest.approx(25.0)
    assert cell(found, "skill", "seeds").text == "2"
    assert cell(found, "rules", "ifeval instruction, loose %").note == "not asked"
    assert instruction_exams(read_learned(learned_folders(place))) is None


def test_costs_are_means_over_seeds(frame: Frame) -> None:
    texts = [cell(frame, "skill", title).text for title in ("masked %", "judge calls", "judge tokens", "entropy")]
    assert texts == ["1.0", "400", "9,000", "0.70"]


def test_a_reward_used_in_two_ways_is_two_arms(tmp_path: Path) -> None:
    folders = [policy(tmp_path / "a", "rules", seed, 0.3) for seed in (0, 1)]
    other = policy(tmp_path / "b", "rules", 0, 0.4)
    identity = json.loads((other / "identity.json").read_text()) | {"method.objective.kl": "0.1"}
    manifest = json.loads((other / "manifest.json").read_text()) | {"identity": identity, "run_id": "other"}
    (other / "manifest.json").write_text(json.dumps(manifest))
    found = arms(read_learned([*folders, other]))
    assert {name: len(of) for name, of in found.items()} == {"rules, the only one": 2, "rules, objective.kl=0.1": 1}


def test_numbers_can_be_traced_to_all_of_their_runs(frame: Frame, place: Path) -> None:
    ids = [run.run_id for run in read_learned(learned_folders(place)) if run.metrics["data"]["reward"] == "skill"]
    assert all(name in cell(frame, "skill", "reward %").trace for name in ids)


def test_without_the_baseline_no_probability_is_made_up(tmp_path: Path) -> None:
    (alone,) = policies(read_learned([policy(tmp_path, "skill", 0, 0.4)]))
    assert cell(alone, "skill", "P(better than rules) %").note == "the baseline was not run"
    assert cell(alone, "skill", "held-out % [95 % CI]").note == "no interval: one run"


def test_a_missing_number_is_named(tmp_path: Path) -> None:
    folder = policy(tmp_path, "rules", 0, 0.4)
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["final"]["heldout/accuracy"]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(BadData, match=r"final.heldout/accuracy: is missing"):
        policies(read_learned([folder, policy(tmp_path, "skill", 0, 0.4)]))
