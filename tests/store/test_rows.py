from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.store.atomic import StorageError
from rewardlab.store.rows import RowStore, from_json, to_json
from rewardlab.verdict import Decision, Event, Evidence, Hardness, Judgment, Status, Usage, Verdict

text = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def row(task: str = "t", repeat: int = 0, status: Status = Status.OK, tokens: int = 1) -> Judgment:
    choice = "a" if status is Status.OK else None
    return Judgment(task, ("a", "b"), repeat, Verdict(status, choice=choice, usage=Usage(1, tokens)))


@given(text, st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(Decision), text)
def test_json_round_trip(note: str, score: float, decision: Decision, observation: str) -> None:
    verdict = Verdict(
        Status.OK,
        scores={"a": score},
        ledger=(Evidence("c", "a", observation, decision, Hardness.SOFT),),
        trace=(Event("model", {"text": note, "n": [1, 2]}),),
        note=note,
    )
    judgment = Judgment("t|1", ("a",), 0, verdict)
    assert from_json(to_json(judgment)) == judgment


def test_a_failed_attempt_is_asked_again_and_a_final_row_never_replaced(tmp_path: Path) -> None:
    with RowStore(tmp_path / "rows.sqlite") as store:
        store.add(row(status=Status.TIMEOUT, tokens=5))
        assert store.finished() == set()
        store.add(row())
        assert store.finished() == {row().key}
        with pytest.raises(StorageError, match="UNIQUE"):
            store.add(row())
        (kept,) = store.judgments()
        assert kept.verdict.status is Status.OK
        assert store.failed_attempts() == (1, Usage(1, 5))


def test_a_late_failure_does_not_hide_a_final_row(tmp_path: Path) -> None:
    with RowStore(tmp_path / "rows.sqlite") as store:
        store.add(row())
        store.add(row(status=Status.ENDPOINT_ERROR))
        assert [j.verdict.status for j in store.judgments()] == [Status.OK]


def test_judgments_come_by_key_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    with RowStore(tmp_path / "rows.sqlite") as store:
        for task in ("c", "a", "b"):
            store.add(row(task))
        assert [j.task_id for j in store.judgments()] == ["a", "b", "c"]


def test_span_adds_up_sessions_without_the_time_between(tmp_path: Path) -> None:
    with RowStore(tmp_path / "rows.sqlite") as store:
        store.add(row("a"), started=10, ended=12)
        store.add(row("b"), started=11, ended=14)
    with RowStore(tmp_path / "rows.sqlite") as store:
        store.add(row("c"), started=1000, ended=1001)
        assert store.span() == 5


WRITER = """
import sys
from pathlib import Path
from rewardlab.store.rows import RowStore
from rewardlab.verdict import Judgment, Status, Verdict
with RowStore(Path(sys.argv[1])) as store:
    for i in range(100000):
        store.add(Judgment(f"t{i:06}", ("a", "b"), 0, Verdict(Status.OK, choice="a")))
        print(i, flush=True)
"""


def test_a_killed_writer_loses_no_row_it_reported(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 200:
            os.kill(process.pid, signal.SIGKILL)
            break
    reported = 200 + sum(1 for _ in process.stdout)
    process.wait()
    with RowStore(path) as store:
        assert len(store.finished()) >= reported


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(StorageError, match="file"):
        RowStore(blocker / "rows.sqlite")


def test_right_answers_are_kept_beside_the_rows(tmp_path: Path) -> None:
    with RowStore(tmp_path / "rows.sqlite") as store:
        assert store.gold() == {}
        store.keep_gold({"t": frozenset("a"), "u": frozenset()})
        store.keep_gold({"t": frozenset("ab")})
    with RowStore(tmp_path / "rows.sqlite") as store:
        assert store.gold() == {"t": frozenset("ab"), "u": frozenset()}
        assert list(store.judgments()) == []
