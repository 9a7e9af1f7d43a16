from __future__ import annotations

import pytest

from rewardlab.benchmarks.rows import Row
from rewardlab.errors import UserError
from rewardlab.training.intake import Intake


def rows(*texts: object) -> list[Row]:
    return [Row("pairs.jsonl", n, {"text": text}) for n, text in enumerate(texts, 1)]


def test_a_bad_row_is_counted_and_the_others_are_used() -> None:
    intake = Intake()
    assert intake.parse(rows("a", "", "b", 3), lambda row: row.text("text")) == ["a", "b"]
    intake.kept = 2
    assert intake.counts() == {"kept": 2, "dropped": {"bad row": 2}, "truncated": 0, "unused": 0, "undecided": 0}


def test_what_is_left_out_is_named_with_file_and_row(caplog: pytest.LogCaptureFixture) -> None:
    intake = Intake()
    intake.parse(rows("a", "", "b", "c"), lambda row: row.text("text"))
    intake.kept = 3
    intake.check("pairs", max_dropped=0.25, max_truncated=0.0)
    assert "1 of 4 pairs are left out:\n  pairs.jsonl, row 2, field text" in caplog.text


def test_too_many_are_refused_with_file_and_row() -> None:
    intake = Intake()
    intake.parse(rows("a", "", "b", "c"), lambda row: row.text("text"))
    intake.kept = 3
    intake.check("pairs", max_dropped=0.25, max_truncated=0.0)
    with pytest.raises(
        UserError, match=r"1 of 4 pairs cannot be used \(1 bad row\)(.|\n)*pairs.jsonl, row 2, field text"
    ):
        intake.check("pairs", max_dropped=0.24, max_truncated=0.0)


def test_too_many_cut_ones_and_no_data_at_all_are_refused() -> None:
    intake = Intake()
    with pytest.raises(UserError, match="0 of 0"):
        intake.check("pairs", 1.0, 1.0)
    intake.kept, intake.truncated = 10, 2
    with pytest.raises(UserError, match="2 of 10 pairs are longer"):
        intake.check("pairs", 0.0, 0.19)


def test_a_limit_does_not_make_bad_rows_seem_more_frequent() -> None:
    intake = Intake()
    intake.drop("bad row", "pairs.jsonl, row 2")
    intake.kept, intake.unused = 4, 95
    intake.check("pairs", max_dropped=0.01, max_truncated=0.0)
