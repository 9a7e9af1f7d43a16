from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewardlab.benchmarks.hh_rlhf import HHRLHF
from rewardlab.errors import BadData
from rewardlab.task import Setting
from rewardlab.training.preferences import hh_rlhf
from rewardlab.verdict import Judgment, Status, Verdict


def row(n: int, **other: object) -> dict[str, object]:
    before = f"\n\nHuman: What of {n}?\n\nAssistant:"
    return {"chosen": f"{before} It is fine.", "rejected": f"{before} Go away.", **other}


def written(path: Path, *rows: dict[str, object]) -> str:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return str(path)


def test_it_shows_what_training_holds_out(tmp_path: Path) -> None:
    path = written(tmp_path / "pairs.jsonl", *map(row, range(80)))
    benchmark = HHRLHF(path, validation=0.25)
    shown = {task.question for task in benchmark.tasks(Setting.STANDARD)}
    trained = hh_rlhf(0, 0.25, path)
    assert shown == {pair.question for pair in trained.validation}
    assert 5 <= len(shown) <= 40 and not shown & {pair.question for pair in trained.train}
    assert len(HHRLHF(path).tasks(Setting.STANDARD)) == 80


def test_the_preferred_answer_is_right_and_neither_side_is_told_apart(tmp_path: Path) -> None:
    benchmark = HHRLHF(written(tmp_path / "pairs.jsonl", row(1), row(2)))
    tasks = benchmark.tasks(Setting.STANDARD)
    for task in tasks:
        (better,) = (c for c in task.candidates if c.text == "It is fine.")
        assert benchmark.gold()[task.id] == {better.id}
        assert "fine" not in task.id and better.id not in ("chosen", "better")
    choices = [
        next(c.id for c in t.candidates if c.text == said)
        for t, said in zip(tasks, ("It is fine.", "Go away."), strict=True)
    ]
    judgments = [
        Judgment(task.id, tuple(c.id for c in task.candidates), 0, Verdict(Status.OK, choice=choice))
        for task, choice in zip(tasks, choices, strict=True)
    ]
    assert benchmark.grade(judgments).official["accuracy"] == 0.5


def test_unusable_rows_are_counted(tmp_path: Path) -> None:
    bad = [row(2, rejected=""), row(3, chosen="no transcript"), row(4, rejected=row(4)["chosen"])]
    benchmark = HHRLHF(written(tmp_path / "pairs.jsonl", row(1), *bad))
    assert len(benchmark.tasks(Setting.STANDARD)) == 1 and benchmark.identity()["unusable_rows"] == "3"
    with pytest.raises(BadData):
        HHRLHF(written(tmp_path / "bad.jsonl", *bad))


@pytest.mark.shared_data
def test_the_real_file(shared_data: Path) -> None:
    whole, held = (HHRLHF(str(shared_data / "hh-rlhf"), validation=share) for share in (1.0, 0.1))
    assert int(whole.identity()["items"]) + int(whole.identity()["unusable_rows"]) == 2312
    assert 180 <= int(held.identity()["items"]) <= 280
