from __future__ import annotations

from pathlib import Path

import pytest

from rewardlab.errors import BadData
from rewardlab.report.learned import learned_folders, read_learned
from rewardlab.report.tables.training import configurations, training
from tests.report.learned import reward_model
from tests.report.tables.cells import cell


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("training")
    for seed, accuracy in enumerate((0.6, 0.8)):
        reward_model(parent, seed, accuracy)
    reward_model(parent, 0, 0.55, tuning="frozen")
    return parent


def test_runs_that_differ_in_the_seed_are_one_row_with_their_spread(place: Path) -> None:
    (frame,) = training(read_learned(learned_folders(place)))
    shown = cell(frame, "tuning=lora", "accuracy %")
    assert (shown.text, shown.small) == ("70.0", "(14.1)")
    assert cell(frame, "tuning=lora", "seeds").text == "2"
    assert (cell(frame, "tuning=frozen", "accuracy %").small, cell(frame, "tuning=frozen", "longest %").text) == (
        "",
        "50.0",
    )


def test_numbers_of_a_group_are_for_the_page_only(place: Path) -> None:
    (frame,) = training(read_learned(learned_folders(place)))
    assert "accuracy/math %" in [column.title for column in frame.columns]
    assert "accuracy/math %" not in [column.title for column in frame.brief().columns]


def test_data_tell_configurations_apart_and_their_hashes_do_not(place: Path) -> None:
    runs = read_learned(learned_folders(place))
    assert [len(of) for of in configurations(runs).values()] == [1, 2]


def test_a_folder_with_a_broken_curve_is_named(tmp_path: Path) -> None:
    folder = reward_model(tmp_path, 0, 0.6)
    (folder / "curve.jsonl").write_text("{")
    with pytest.raises(BadData, match=str(folder)):
        read_learned([folder])


def test_mlflows_copy_of_a_run_is_no_run(place: Path) -> None:
    (folder,) = [folder for folder in learned_folders(place) if "frozen" in (folder / "identity.json").read_text()]
    (folder / "identity.json").rename(folder / "identity.away")
    assert folder not in learned_folders(place)
    (folder / "identity.away").rename(folder / "identity.json")
