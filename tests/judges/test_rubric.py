from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.errors import UserError
from rewardlab.judges.rubric import Rubric, read_checklist
from rewardlab.models.protocol import Completion, Tool
from rewardlab.models.scripted import Fail, Reply, ScriptedGenerator
from rewardlab.task import Message, Provenance, Resource, ResourceKind, Setting, Task
from rewardlab.verdict import Decision, Hardness, Source, Status, Verdict
from tests.judges.judging import REFERENCE, RIGHT, WRONG, pair, pick, rate

CRITERIA = {"The result is right": 3.0, "It shows its working": 1.0}


def judge(task: Task, script: object, **options: object) -> tuple[Verdict, ScriptedGenerator]:
    generator = ScriptedGenerator(script)  # type: ignore[arg-type]
    return asyncio.run(Rubric(generator, CRITERIA, **options).judge(task)), generator  # type: ignore[arg-type]


def knows(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> Reply:
    """Says that the working is shown by all, and the result right where it is 7."""
    prompt = messages[1].content
    right = "Y" if "answer is 7" in prompt else "N"
    if all(criterion in prompt for criterion in CRITERIA):
        return f"1: {right}\n2: Y"
    return "Y" if "working" in prompt else right


@pytest.mark.parametrize("together", [False, True])
def test_shares_of_weights_decide(together: bool) -> None:
    verdict, generator = judge(pair(), knows, together=together)
    assert verdict.choice == "right"
    assert verdict.scores == {"right": 1.0, "wrong": 0.25}
    assert verdict.usage.calls == len(generator.requests) == (2 if together else 4)
    decisions = {(e.candidate, e.criterion): (e.decision, e.weight) for e in verdict.ledger}
    assert decisions["wrong", "The result is right"] == (Decision.VIOLATED, 3.0)
    assert all(e.hardness is Hardness.SOFT for e in verdict.ledger)


def test_criteria_may_be_those_of_the_tasks_own_checklist_that_are_in_prose() -> None:
    checklist = json.dumps([{"kind": "punctuation:no_comma"}, "It is kind.", "It is short."])
    resource = Resource("checklist", ResourceKind.CHECKLIST, checklist, Provenance.PROGRAM)
    generator = ScriptedGenerator(lambda messages, tools, repeat: "Y" if "kind" in messages[1].content else "N")
    own = Rubric(generator, None)
    assert own.setting is Setting.RESOURCE
    found = asyncio.run(own.judge(rate(RIGHT, resource)))
    assert {e.criterion: e.decision for e in found.ledger} == {
        "It is kind.": Decision.SATISFIED,
        "It is short.": Decision.VIOLATED,
    }
    assert all("no_comma" not in request.text for request in generator.requests)
    assert asyncio.run(own.judge(rate())).status is Status.SKIPPED


def test_every_candidate_is_seen_alone_so_place_cannot_matter() -> None:
    verdict, generator = judge(pair(REFERENCE), knows)
    assert all((RIGHT.text in r.text) != (WRONG.text in r.text) for r in generator.requests)
    assert judge(pair(swapped=True), knows)[0].scores == verdict.scores


def test_pick_and_rate() -> None:
    assert judge(pick(), knows)[0].choice == "right"
    assert judge(rate(), knows)[0].scores == {"right": 10.0}
    assert judge(rate(WRONG), knows)[0].scores == {"wrong": 1 + 9 * 0.25}


def test_level_candidates_are_a_tie_or_no_verdict() -> None:
    assert judge(pair(), lambda *_: "Y")[0].status is Status.UNPARSEABLE
    assert judge(pair(ties_allowed=True), lambda *_: "Y")[0].tie


@pytest.mark.parametrize("together", [False, True])
def test_an_unusable_answer_is_asked_for_again_and_then_no_verdict(together: bool) -> None:
    def at_second(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> Reply:
        return knows(messages, tools, repeat) if len(messages) > 2 else "hmm"

    verdict, generator = judge(pair(), at_second, together=together)
    assert (verdict.choice, verdict.source) == ("right", Source.REPAIR)
    assert verdict.usage.calls == len(generator.requests) == (4 if together else 8)
    verdict, _ = judge(pair(), lambda *_: "hmm", together=together, repairs=0)
    assert (verdict.status, verdict.choice, verdict.scores) == (Status.UNPARSEABLE, None, {})


@pytest.mark.parametrize("together", [False, True])
def test_one_failed_call_is_the_status_and_all_calls_cost(together: bool) -> None:
    def fails(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> Reply:
        failing = "answer is 8" in messages[1].content
        return Fail(Status.TIMEOUT) if failing else knows(messages, tools, repeat)

    verdict, generator = judge(pair(), fails, together=together)
    assert verdict.status is Status.TIMEOUT
    assert verdict.usage.calls == len(generator.requests)


def test_a_cut_checklist_is_truncated() -> None:
    cut = Completion("1: Y\n2: Y", finish_reason="length")
    assert judge(pair(), [cut, cut], together=True, repairs=0)[0].status is Status.TRUNCATED


def by_labels(**options: object) -> tuple[Verdict, ScriptedGenerator]:
    def scores(messages: Sequence[Message], labels: Sequence[str]) -> list[float]:
        met = 0.9 if "answer is 7" in messages[1].content else 0.6
        return [math.log(met), math.log(1 - met)]

    generator = ScriptedGenerator(knows, scores)
    return asyncio.run(Rubric(generator, CRITERIA, **options).judge(pair())), generator  # type: ignore[arg-type]


def test_probabilities_count_where_the_model_has_them() -> None:
    verdict, generator = by_labels()
    assert verdict.choice == "right"
    assert verdict.scores == pytest.approx({"right": 0.9, "wrong": 0.6})
    assert {r.continuations for r in generator.requests} == {("Y", "N")}
    assert all(e.decision is Decision.SATISFIED for e in verdict.ledger)


@pytest.mark.parametrize("options", [{"read": "text"}, {"reasoning": True}, {"together": True}])
def test_text_is_read_where_it_must_be(options: dict[str, object]) -> None:
    _, generator = by_labels(**options)
    assert not any(r.continuations for r in generator.requests)


@pytest.mark.parametrize(
    ("criteria", "options"),
    [({}, {}), ({"a": 0.0}, {}), (CRITERIA, {"read": "labels"}), (CRITERIA, {"read": "labels", "together": True})],
)
def test_what_cannot_work_is_refused_at_once(criteria: dict[str, float], options: dict[str, object]) -> None:
    with pytest.raises(UserError):
        Rubric(ScriptedGenerator(), criteria, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "met"),
    [
        pytest.param("1: Y\n2: N", (1, 0), id="plain"),
        pytest.param("**1.** Y\n**2.** N", (1, 0), id="bold"),
        pytest.param("- Criterion 1: met\n- Criterion 2: not met.", (1, 0), id="words"),
        pytest.param("1) Yes\n2) No, it stops early", (1, 0), id="reason_behind"),
        pytest.param("(1) = [Y]\n(2) - [N]", (1, 0), id="brackets"),
        pytest.param("2: N\n1: Y", (1, 0), id="any_order"),
        pytest.param("1: N\n2: N\nAfter all:\n1: Y", (1, 0), id="last_binds"),
        pytest.param("<think>1: N\n2: N</think>\n1: Y\n2: N", (1, 0), id="after_reasoning"),
        pytest.param("1: Y", None, id="one_missing"),
        pytest.param("1: Y\n2: N\n3: Y", None, id="one_too_many"),
        pytest.param("1: Y\n2: no error in it", None, id="a_sentence_is_no_answer"),
        pytest.param("1: yesterday\n2: Y", None, id="a_longer_word"),
        pytest.param("1: maybe\n2: Y", None, id="off_the_menu"),
        pytest.param("<think>1: Y\n2: Y", None, id="endless_reasoning"),
        pytest.param("11: Y\n2: Y", None, id="another_number"),
        pytest.param("", None, id="empty"),
    ],
)
def test_checklists(text: str, met: tuple[int, ...] | None) -> None:
    status, found, note = read_checklist(text, "stop", 2)
    assert found == met
    assert (status is Status.OK) == (met is not None)
    assert bool(note) == (met is None)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.sampled_from(["{}: {}", "{}. {}", "* {}) {}."]))
def test_a_written_checklist_reads_back(met: list[bool], line: str) -> None:
    text = "\n".join(line.format(i, "Y" if m else "N") for i, m in enumerate(met, 1))
    assert read_checklist(text, "stop", len(met))[1] == tuple(map(float, met))


@given(st.text(max_size=200), st.integers(1, 4))
def test_no_text_breaks_the_reader(text: str, criteria: int) -> None:
    status, found, _ = read_checklist(text, "stop", criteria)
    assert (found is None) == (status is not Status.OK)
    assert found is None or len(found) == criteria
