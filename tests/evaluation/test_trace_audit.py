from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rewardlab.evaluation.summary import summarise
from rewardlab.evaluation.trace_audit import TraceTotals, audit
from rewardlab.judges.direct import Direct
from rewardlab.judges.skill import Skill
from rewardlab.judges.tools import Fault, Limits
from rewardlab.judges.verify import Verifiers
from rewardlab.models.protocol import Completion
from rewardlab.models.scripted import Call, Reply, ScriptedGenerator
from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.sandbox.monty import Monty
from rewardlab.skills.package import load_package
from rewardlab.store.folder import without_texts
from rewardlab.task import Setting, Task, ToolCall
from rewardlab.verdict import Judgment
from tests.judges.judging import REFERENCE, RIGHT, WRONG, pair, pick, rate

PACKAGE = load_package(Path(__file__).parents[2] / "skills" / "reward-evaluation")
VERIFY = Call("run_resource", {"resource": "verify-reference"})
VIEW = Call("view_resource", {"resource": "rubric-math"})


def final(verdict: object) -> Call:
    return Call("final_answer", {"verdict": verdict})


def judged(task: Task, *replies: Reply, turns: int = 8, readout: str = "lexicographic") -> Judgment:
    skill = Skill(
        ScriptedGenerator(replies),
        PACKAGE,
        Setting.RESOURCE,
        Monty(),
        Verifiers(Bubblewrap()),
        readout=readout,
        trigger="always",
        limits=Limits(turns=turns),
    )
    order = tuple(candidate.id for candidate in task.candidates)
    return Judgment("t", order, 0, asyncio.run(skill.judge(task)))


def audited(judgment: Judgment):  # type: ignore[no-untyped-def]
    found = audit(judgment)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        pytest.param(Call("view_resource", {"resource": "rubric-chess"}), Fault.PHANTOM, id="phantom_resource"),
        pytest.param(Call("run_resource", {"resource": "verify-chess"}), Fault.PHANTOM, id="phantom_verifier"),
        pytest.param(VIEW, Fault.REPEATED, id="repeated"),
        pytest.param(Call("python_sandbox", {"code": "1 / 0"}), Fault.FAILED, id="code_fails"),
        pytest.param(Call("python_sandbox", {"text": "1"}), Fault.INVALID, id="wrong_arguments"),
        pytest.param(Call("use_skill", {"skill": "reward-evaluation"}), Fault.NOT_OFFERED, id="not_offered"),
        pytest.param(Call("search_the_web", {}), Fault.NOT_OFFERED, id="unknown_tool"),
        pytest.param(
            Completion("", (ToolCall("x", "view_resource", "{broken"),), "tool_calls"), Fault.INVALID, id="no_json"
        ),
    ],
)
def test_a_call_that_did_not_work_is_told_by_its_fault(call: Reply, fault: Fault) -> None:
    found = audited(judged(pair(), VIEW, call, final("A")))
    assert found.faults == {fault: 1}
    assert found.calls == 3


def test_a_clean_judgment_has_nothing_to_tell() -> None:
    found = audited(judged(pair(REFERENCE), VERIFY, final("A")))
    assert (found.faults, found.forced, found.early, found.against_ledger) == ({}, False, False, False)


@pytest.mark.parametrize("readout", ["lexicographic", "model_final"])
@pytest.mark.parametrize(
    ("task", "said", "against"),
    [
        pytest.param(pair(REFERENCE), "B", True, id="pair"),
        pytest.param(pair(REFERENCE, swapped=True), "B", False, id="pair_swapped"),
        pytest.param(pair(REFERENCE, ties_allowed=True), "Tie", False, id="tie_contradicts_nobody"),
        pytest.param(pick(REFERENCE), "C", True, id="pick"),
        pytest.param(rate(WRONG, REFERENCE), 9, True, id="high_rating_of_a_wrong_answer"),
        pytest.param(rate(WRONG, REFERENCE), 2, False, id="low_rating_of_a_wrong_answer"),
        pytest.param(rate(RIGHT, REFERENCE), 1, True, id="low_rating_of_a_right_answer"),
    ],
)
def test_the_final_answer_is_held_against_the_ledger_whatever_readout_decides(
    task: Task, said: object, against: bool, readout: str
) -> None:
    assert audited(judged(task, VERIFY, final(said), readout=readout)).against_ledger is against


def test_without_evidence_there_is_nothing_to_contradict() -> None:
    assert audited(judged(pair(), final("A"))).against_ledger is None
    unsupported = Call(
        "record_evidence", {"criterion": "sum", "candidate": "B", "decision": "satisfied", "source": "call 9"}
    )
    assert audited(judged(pair(), unsupported, final("A"))).against_ledger is None


def test_a_final_answer_in_the_last_turn_is_forced_and_one_before_any_look_is_early() -> None:
    last = audited(judged(pair(), VIEW, final("A"), turns=2))
    assert (last.forced, last.early) == (True, False)
    first = audited(judged(pair(), final("A")))
    assert (first.forced, first.early) == (False, True)
    words = audited(judged(pair(), "Verdict: A"))
    assert (words.forced, words.early) == (False, True)
    silent = audited(judged(pair(REFERENCE), VERIFY, "hm", "hm", "hm", turns=3))
    assert (silent.forced, silent.early, silent.against_ledger) == (False, False, None)


def trace_rates(rows: list[Judgment]) -> dict[str, Any]:
    totals = TraceTotals()
    for row in rows:
        totals.add(row)
    return totals.rates()


def test_rates_over_a_run_and_none_where_nothing_was_audited() -> None:
    rows = [
        judged(pair(REFERENCE), VERIFY, final("B")),
        judged(pair(REFERENCE), VERIFY, final("A")),
        judged(pair(), VIEW, VIEW, final("A"), turns=3),
        judged(pair(), final("A")),
    ]
    rates = trace_rates(rows)
    assert (rates["audited_traces"], rates["against_ledger_rate"]) == (4, 0.5)
    assert (rates["forced_final_rate"], rates["early_stop_rate"]) == (0.25, 0.25)
    assert rates["repeated_call_rate"] == pytest.approx(1 / 8)
    assert rates["phantom_call_rate"] == 0
    static = Judgment("t", ("right", "wrong"), 0, asyncio.run(Direct(ScriptedGenerator(["A"])).judge(pair())))
    for nothing in ([], [static], [without_texts(rows[0])]):
        found = trace_rates(nothing)
        assert found.pop("audited_traces") == 0
        assert set(found.values()) == {None}
    summary = summarise([*rows, static])
    assert (summary["audited_traces"], summary["early_stop_rate"], summary["judgments"]) == (4, 0.25, 5)


def test_the_audit_survives_the_row_store() -> None:
    from rewardlab.store.rows import from_json, to_json

    row = judged(pair(REFERENCE), VERIFY, Call("view_resource", {"resource": "x"}), final("B"))
    assert audit(from_json(to_json(row))) == audit(row)
    assert audit(replace(row, verdict=replace(row.verdict, trace=()))) is None
