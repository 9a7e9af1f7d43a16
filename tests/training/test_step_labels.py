from __future__ import annotations

import pytest

from rewardlab.errors import UserError
from rewardlab.task import Message
from rewardlab.training.solutions import Solution
from rewardlab.training.step_labels import Labels, step_labels


def solution(first: int | None, estimates: tuple[float, ...], judged: int | None) -> Solution:
    return Solution(
        "p", "g", (Message("user", "?"),), ("a", "b", "c", "d"), first, "", None, estimates, judged, "f, row 7"
    )


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (Labels.GOLD, (1.0, 0.0)),
        (Labels.MC_HARD, (1.0, 1.0, 0.0)),
        (Labels.MC_SOFT, (0.75, 0.125, 0.0)),
        (Labels.JUDGE, (1.0, 1.0, 0.0)),
        (Labels.CONSENSUS_HARD, (1.0, 1.0, 0.0)),
        (Labels.CONSENSUS_SOFT, (0.75, 0.125, 0.0)),
    ],
)
def test_labels_end_with_the_first_error_that_the_annotator_names(labels: Labels, expected: tuple[float, ...]) -> None:
    assert step_labels(solution(1, (0.75, 0.125, 0.0, 0.5), 2), labels) == expected


@pytest.mark.parametrize("labels", [Labels.CONSENSUS_HARD, Labels.CONSENSUS_SOFT])
@pytest.mark.parametrize(
    ("judged", "kept"), [(1, False), (-1, False), (2, True)], ids=["other step", "no error seen", "same step"]
)
def test_consensus_drops_what_annotators_see_differently(labels: Labels, judged: int, kept: bool) -> None:
    assert (step_labels(solution(2, (1.0, 1.0, 0.0, 0.0), judged), labels) is not None) is kept


def test_consensus_on_no_error_keeps_every_step() -> None:
    found = solution(1, (1.0, 0.5, 0.5, 0.25), -1)
    assert step_labels(found, Labels.CONSENSUS_HARD) == (1.0,) * 4
    assert step_labels(found, Labels.CONSENSUS_SOFT) == (1.0, 0.5, 0.5, 0.25)


@pytest.mark.parametrize("labels", [Labels.MC_HARD, Labels.JUDGE, Labels.CONSENSUS_SOFT])
def test_a_missing_annotation_is_named_with_its_row(labels: Labels) -> None:
    with pytest.raises(UserError, match="f, row 7"):
        step_labels(solution(1, (), None), labels)
