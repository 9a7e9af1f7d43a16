"""A run read out again is the run that a live judge with that readout would have been."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.errors import MissingRequirement, UnknownName, UserError
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.run import Run, Settings, evaluate
from rewardlab.judges.content_blind import ContentBlind
from rewardlab.judges.protocol import Judge
from rewardlab.judges.readout import READOUTS
from rewardlab.judges.reread import Reread
from rewardlab.judges.skill import Skill
from rewardlab.judges.tools import Limits
from rewardlab.judges.verify import Verifiers
from rewardlab.models.protocol import Tool
from rewardlab.models.scripted import Call, Fail, Reply, ScriptedGenerator
from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.skills.package import load_package
from rewardlab.store.folder import read_rows
from rewardlab.task import Message, Setting
from rewardlab.verdict import Status

BENCHMARK = Verifiable(form="pair", per_family=8, families=["chain_sum"])


def erratic(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> Reply:
    """Verifies or not, answers rightly, wrongly, in nonsense or not at all, as a hash of the candidates has it."""
    mood = hashlib.sha256(messages[1].content.encode()).digest()[0]
    if any(tool.name == "run_resource" for tool in tools) and mood % 4:
        return Call("run_resource", {"resource": "verify-reference"})
    answers: tuple[Reply, ...] = (
        Call("final_answer", {"verdict": "A"}), Call("final_answer", {"verdict": "B"}), "hm", Fail(Status.REFUSED),
    )  # fmt: skip
    return answers[mood // 4 % 4]


def live(root: Path, readout: str) -> Judge:
    package = load_package(root / "skills" / "reward-evaluation")
    limits = Limits(turns=3, runs=1, sandbox_calls=0, records=0)
    verifiers = Verifiers(Bubblewrap())
    return Skill(
        ScriptedGenerator(erratic), package, Setting.RESOURCE, None, verifiers, "live", readout, "always", limits=limits
    )


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


def run(loop: LoopThread, judge: Judge, parent: Path, repeats: int = 1, limit: int | None = None) -> Run:
    settings = Settings(seed=0, repeats=repeats, limit=limit)
    return evaluate(loop, BENCHMARK, judge, None, settings, {"judge": judge.name}, parent)


@pytest.fixture(scope="module")
def source(root: Path, loop: LoopThread, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = run(loop, live(root, "lexicographic"), tmp_path_factory.mktemp("source")).folder
    (folder / "rows.sqlite").unlink()  # what is committed must be enough
    return folder


def decided(folder: Path) -> dict[str, Any]:
    rows = {row.key: row.verdict for row in read_rows(folder / "rows.jsonl.zst")}
    return {
        key: (v.status, v.choice, v.scores, v.readout, v.source, v.tools, v.ledger, v.own, v.usage)
        for key, v in rows.items()
    }


@pytest.mark.parametrize("readout", READOUTS)
def test_it_is_the_live_run_with_another_readout(
    root: Path, loop: LoopThread, source: Path, tmp_path: Path, readout: str
) -> None:
    again = run(loop, Reread(str(source), readout), tmp_path)
    wanted = run(loop, live(root, readout), tmp_path)
    assert decided(again.folder) == decided(wanted.folder)
    assert again.metrics["strict"] == wanted.metrics["strict"]
    assert again.manifest["usage"] == wanted.manifest["usage"]


def test_the_source_has_all_kinds_of_judgments_and_readouts_differ_on_them(source: Path, tmp_path: Path) -> None:
    rows = [row.verdict for row in read_rows(source / "rows.jsonl.zst")]
    assert {Status.OK, Status.REFUSED} <= {verdict.status for verdict in rows}
    assert {bool(verdict.ledger) for verdict in rows} == {bool(verdict.own) for verdict in rows} == {True, False}
    own = [verdict for verdict in rows if verdict.ledger and verdict.own]
    assert {max(v.own, key=lambda c: v.own[c]) == v.choice for v in own} == {True, False}


def test_the_run_is_part_of_the_identity_and_can_itself_be_read_out_again(
    loop: LoopThread, source: Path, tmp_path: Path
) -> None:
    first = run(loop, Reread(str(source), "model_final"), tmp_path)
    assert first.manifest["identity"]["judge.source_run"] in str(source)
    back = run(loop, Reread(str(first.folder), "lexicographic", "back"), tmp_path)
    assert decided(back.folder) == decided(source)


def test_what_cannot_be_read_out_is_refused(loop: LoopThread, source: Path, root: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingRequirement, match="source_run"):
        Reread(str(tmp_path), "weighted")
    with pytest.raises(UnknownName, match="model_final"):
        Reread(str(source), "model_finl")
    blind = run(loop, ContentBlind("first", 0), tmp_path)
    with pytest.raises(UserError, match="no final answers"):
        Reread(str(blind.folder), "weighted")
    repeated = run(loop, live(root, "lexicographic"), tmp_path, repeats=2, limit=2)
    with pytest.raises(UserError, match="several times"):
        Reread(str(repeated.folder), "weighted")
    part = run(loop, live(root, "lexicographic"), tmp_path, limit=2)
    with pytest.raises(UserError, match="use the benchmark, seed, limit and protocol of that run"):
        run(loop, Reread(str(part.folder), "weighted", "whole"), tmp_path)
