from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from rewardlab.judges.skill import Skill
from rewardlab.judges.tools import Limits
from rewardlab.judges.verify import Verifiers
from rewardlab.models.protocol import Completion
from rewardlab.models.scripted import Call, Fail, ScriptedGenerator
from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.sandbox.monty import Monty
from rewardlab.skills.package import load_package
from rewardlab.task import Candidate, Form, Message, Setting, Task, ToolCall
from rewardlab.verdict import Hardness, Source, Status, Verdict
from tests.judges.judging import REFERENCE, RIGHT, WRONG, pair, pick, rate

PACKAGE = load_package(Path(__file__).parents[2] / "skills" / "reward-evaluation")
USE = Call("use_skill", {"skill": "reward-evaluation"})
VERIFY = Call("run_resource", {"resource": "verify-reference"})


def final(verdict: object) -> Call:
    return Call("final_answer", {"verdict": verdict})


def judge(
    task: Task, *replies: object, setting: Setting = Setting.RESOURCE, **options: object
) -> tuple[Verdict, ScriptedGenerator]:
    generator = ScriptedGenerator(list(replies))  # type: ignore[arg-type]
    skill = Skill(generator, PACKAGE, setting, Monty(), Verifiers(Bubblewrap()), **options)  # type: ignore[arg-type]
    return asyncio.run(skill.judge(task)), generator


def tool_results(verdict: Verdict) -> list[str]:
    return [event.detail["result"] for event in verdict.trace if event.kind == "tool"]


def offered(generator: ScriptedGenerator) -> list[set[str]]:
    return [{tool.name for tool in request.tools} for request in generator.requests]


def test_hard_evidence_overrules_the_model() -> None:
    verdict, generator = judge(pair(REFERENCE), USE, VERIFY, final("B"))
    assert verdict.choice == "right"
    assert {(e.candidate, e.decision.value, e.hardness) for e in verdict.ledger} == {
        ("right", "satisfied", Hardness.HARD),
        ("wrong", "violated", Hardness.HARD),
    }
    assert (verdict.readout, verdict.source, verdict.usage.calls) == ("lexicographic", Source.OWN, 3)
    assert len(generator.requests) == 3


def test_model_final_follows_the_model_against_its_ledger() -> None:
    verdict, _ = judge(pair(REFERENCE), USE, VERIFY, final("B"), readout="model_final")
    assert verdict.choice == "wrong"


def test_pick_and_rate_read_the_same_ledger() -> None:
    assert judge(pick(REFERENCE), USE, VERIFY, final("A"))[0].choice == "right"
    good, _ = judge(rate(RIGHT, REFERENCE), USE, VERIFY, final(1))
    bad, _ = judge(rate(WRONG, REFERENCE), USE, VERIFY, final(10))
    assert 1 <= bad.scores["wrong"] < good.scores["right"] <= 10


def test_tools_are_disclosed_step_by_step_and_the_last_turn_is_the_answer() -> None:
    look = [Call("list_resources"), Call("view_resource", {"resource": "rubric-math"})]
    _, generator = judge(pair(REFERENCE), USE, *look, final("A"), limits=Limits(turns=4))
    first, second, third, last = offered(generator)
    assert first == {"use_skill", "final_answer"}
    tools = {"run_resource", "view_resource", "python_sandbox", "record_evidence", "final_answer"}
    assert (second, third) == (tools | {"list_resources"}, tools)
    assert last == {"final_answer"}
    assert generator.requests[-1].tool_choice == "final_answer"


def test_standard_setting_shows_no_sample_resource_and_no_verifier() -> None:
    verdict, generator = judge(pair(REFERENCE), USE, VERIFY, final("A"), setting=Setting.STANDARD)
    assert not any("run_resource" in names for names in offered(generator))
    assert "sample-reference" not in tool_results(verdict)[0]
    assert verdict.ledger == ()


def test_the_index_lists_only_what_exists_for_the_sample() -> None:
    index = tool_results(judge(pair(), USE, final("A"))[0])[0]
    assert "verify-arithmetic" in index
    assert "verify-reference" not in index
    assert "verify-checklist" not in index


def test_evidence_without_a_real_source_is_kept_and_never_counts() -> None:
    def evidence(source: str) -> Call:
        fields = {"criterion": "sum", "candidate": "B", "decision": "satisfied", "source": source}
        return Call("record_evidence", fields)

    verdict, _ = judge(
        pair(),
        USE,
        evidence("call 9"),
        evidence("3 + 4 = 7. So"),
        evidence("3 + 4 = 8. So"),
        evidence("call 1"),
        final("A"),
    )
    assert [e.supported for e in verdict.ledger] == [False, False, True, True]
    assert verdict.choice == "wrong"


def test_a_phantom_resource_is_an_error_that_the_model_can_act_on() -> None:
    verdict, _ = judge(pair(), USE, Call("view_resource", {"resource": "rubric-chess"}), final("A"))
    assert "not valid" in tool_results(verdict)[1]
    assert verdict.choice == "right"


def test_broken_arguments_and_unknown_tools_do_not_end_the_judgment() -> None:
    broken = Completion("", (json_call("use_skill", "{not json"), json_call("fly", "{}")), "tool_calls")
    verdict, _ = judge(pair(), broken, final("A"))
    assert verdict.choice == "right"
    assert "not valid" in tool_results(verdict)[0]
    assert "there is no tool 'fly' now" in tool_results(verdict)[1]


def json_call(name: str, arguments: str):  # type: ignore[no-untyped-def]
    from rewardlab.task import ToolCall

    return ToolCall("x", name, arguments)


def test_a_menu_shows_nothing_twice_and_a_repeated_call_is_told_so() -> None:
    view = Call("view_resource", {"resource": "rubric-math"})
    code = Call("python_sandbox", {"code": "1"})
    verdict, generator = judge(pair(), USE, view, view, Call("list_resources"), code, code, final("A"))
    menu = next(tool for tool in generator.requests[2].tools if tool.name == "view_resource")
    assert "rubric-math" not in menu.parameters["properties"]["resource"]["enum"]
    assert "not valid" in tool_results(verdict)[2]
    assert "list_resources" not in offered(generator)[4]
    assert tool_results(verdict)[5] == "you made this call before"


def test_the_sandbox_sees_question_and_candidates() -> None:
    code = "print(question); print(candidates['A'][:9]); 3 + 4"
    verdict, _ = judge(pair(), USE, Call("python_sandbox", {"code": code}), final("A"))
    assert tool_results(verdict)[1] == "What is 3 + 4?\n3 + 4 = 7\nvalue: 7"


def test_a_verdict_in_words_counts_and_silence_is_asked_again() -> None:
    assert judge(pair(), "Verdict: B")[0].choice == "wrong"
    verdict, _ = judge(pair(), "hmm", "hmm", "A", limits=Limits(turns=2))
    assert (verdict.choice, verdict.source) == ("right", Source.REPAIR)


def test_without_answer_and_evidence_there_is_no_verdict() -> None:
    verdict, _ = judge(pair(), *["hmm"] * 5, limits=Limits(turns=2), repairs=1)
    assert verdict.status is Status.UNPARSEABLE
    cut = Completion("hm", finish_reason="length")
    assert judge(pair(), cut, cut, cut, limits=Limits(turns=2))[0].status is Status.TRUNCATED


def test_evidence_decides_even_when_the_final_answer_never_comes() -> None:
    verdict, _ = judge(pair(REFERENCE), USE, VERIFY, "hmm", "hmm", limits=Limits(turns=3))
    assert verdict.choice == "right"


def test_a_failed_call_keeps_the_cost_and_the_ledger_so_far() -> None:
    verdict, _ = judge(pair(REFERENCE), USE, VERIFY, Fail(Status.ENDPOINT_ERROR))
    assert (verdict.status, verdict.usage.calls) == (Status.ENDPOINT_ERROR, 3)
    assert len(verdict.ledger) == 2


def test_level_evidence_is_no_verdict_or_a_tie() -> None:
    assert judge(pair(), final("A"))[0].choice == "right"
    tie = judge(pair(ties_allowed=True), final("Tie"))[0]
    assert tie.tie


def test_the_trace_keeps_the_hash_of_what_was_disclosed_and_run_also_where_it_was_cut() -> None:
    view = Call("view_resource", {"resource": "rubric-math"})
    replies = [USE, view, VERIFY, Call("view_resource", {"resource": "nothing"}), final("A")]
    whole, cut = (judge(pair(REFERENCE), *replies, limits=Limits(text_chars=n))[0] for n in (8000, 50))
    hashes = [[e.detail.get("sha256") for e in v.trace if e.kind == "tool"] for v in (whole, cut)]
    assert hashes[0] == hashes[1]
    assert hashes[0][1] == hashlib.sha256(PACKAGE.files["rubrics/math.md"].strip().encode()).hexdigest()
    assert [bool(found) for found in hashes[0]] == [True, True, True, False, False]


def test_the_pool_decides_what_the_index_lists_and_is_in_the_identity() -> None:
    def half(pool: str) -> tuple[set[str], str]:
        package = load_package(Path(__file__).parents[2] / "skills" / "reward-evaluation", pool)
        generator = ScriptedGenerator([USE, final("A")])
        skill = Skill(generator, package, Setting.RESOURCE, Monty(), Verifiers(Bubblewrap()))
        told = tool_results(asyncio.run(skill.judge(pair(REFERENCE))))[0]
        return {line.split()[1] for line in told.splitlines() if line.startswith("- ")}, skill.identity()["pool"]

    (a, name_a), (b, name_b), (full, name) = half("half_a"), half("half_b"), half("full")
    assert (name_a, name_b, name) == ("half_a", "half_b", "full")
    tools_and_sample = a & b
    assert tools_and_sample == {id for id in full if id not in {r.id for r in PACKAGE.resources}}
    assert a | b == full


def test_tool_only_has_no_skill() -> None:
    generator = ScriptedGenerator([Call("python_sandbox", {"code": "1"}), final("A")])
    skill = Skill(generator, None, Setting.STANDARD, Monty(), Verifiers(Bubblewrap()), name="tool_only")
    assert asyncio.run(skill.judge(pair(REFERENCE))).choice == "right"
    assert offered(generator) == [{"python_sandbox", "final_answer"}] * 2
    assert "skill" not in generator.requests[0].messages[0].content


def test_with_trigger_always_the_skill_is_there_from_the_first_turn() -> None:
    verdict, generator = judge(pair(REFERENCE), VERIFY, final("B"), trigger="always")
    system = generator.requests[0].messages[0].content
    assert PACKAGE.body in system
    assert "verify-reference" in system
    assert "use_skill" not in {tool.name for tool in generator.requests[0].tools}
    assert verdict.choice == "right"
    assert verdict.tools == {"run_resource": 1, "final_answer": 1}


def test_evidence_first_withholds_the_final_answer_until_there_is_evidence() -> None:
    verdict, generator = judge(pair(REFERENCE), USE, final("B"), VERIFY, final("B"), evidence_first=True)
    assert ["final_answer" in names for names in offered(generator)] == [False, False, False, True]
    assert "there is no tool 'final_answer' now" in tool_results(verdict)[1]
    assert verdict.choice == "right"


def test_the_skill_text_sent_is_the_package_and_the_same_for_every_task() -> None:
    texts = [tool_results(judge(task, USE, final(v))[0])[0] for task, v in ((pair(), "A"), (pick(), "A"), (rate(), 5))]
    assert all(PACKAGE.body in text for text in texts)
    assert len(set(texts)) == 1


@pytest.mark.parametrize("schema_of", ["final_answer"])
def test_the_menu_of_the_final_answer_is_the_contract(schema_of: str) -> None:
    _, generator = judge(rate(), final(5))
    tool = next(t for t in generator.requests[0].tools if t.name == schema_of)
    assert json.loads(json.dumps(tool.parameters))["properties"]["verdict"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
    }


DOUBLES = "```python\ndef twice(x):\n    return 2 * x\n```"
SQUARES = "```python\ndef twice(x):\n    return x * x\n```"
OWN_TESTS = Call("run_tests", {"tests": "assert twice(2) == 4\nassert twice(3) == 6"})


def programs() -> Task:
    candidates = (Candidate("squares", SQUARES), Candidate("doubles", DOUBLES))
    return Task("t", Form.PAIR, (Message("user", "Write twice(x)."),), candidates)


def test_tests_of_the_model_run_on_every_program_and_are_soft_evidence() -> None:
    if reason := Bubblewrap().available():
        pytest.skip(reason)
    verdict, generator = judge(programs(), USE, OWN_TESTS, final("A"), setting=Setting.STANDARD)
    assert "run_tests" not in offered(generator)[0] and "run_tests" in offered(generator)[1]
    found = {(e.candidate, e.decision.value, e.hardness, e.source, e.supported) for e in verdict.ledger}
    assert found == {
        ("squares", "violated", Hardness.SOFT, "call 2", True),
        ("doubles", "satisfied", Hardness.SOFT, "call 2", True),
    }
    assert verdict.choice == "doubles"
    assert "1 of 2 tests pass" in tool_results(verdict)[1]


def test_tests_that_fit_no_program_say_nothing() -> None:
    if reason := Bubblewrap().available():
        pytest.skip(reason)
    unfit = Call("run_tests", {"tests": "import nowhere"})
    verdict, _ = judge(programs(), USE, unfit, final("A"), setting=Setting.STANDARD)
    assert {entry.decision.value for entry in verdict.ledger} == {"unsure"}
    assert verdict.choice == "squares"


def test_own_tests_are_on_offer_only_for_programs_that_can_be_run_and_a_limited_number_of_times() -> None:
    _, generator = judge(pair(), USE, final("A"))
    assert "run_tests" not in offered(generator)[1]
    _, generator = judge(programs(), USE, final("A"), limits=Limits(tests=0))
    assert "run_tests" not in offered(generator)[1]
    skill = Skill(generator, PACKAGE, Setting.STANDARD, Monty(), Verifiers(Bubblewrap(program="nowhere")))
    toolbox = skill.toolbox(programs())
    asyncio.run(toolbox.call(ToolCall("x", "use_skill", '{"skill": "reward-evaluation"}'), toolbox.offered(False)))
    assert "run_tests" not in {tool.name for tool in toolbox.offered(False)}
