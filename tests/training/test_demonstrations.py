from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.models.chat_prompt import ChatPrompt
from rewardlab.models.local import LocalGenerator
from rewardlab.models.protocol import Sampling
from rewardlab.models.tool_text import read_calls
from rewardlab.sandbox.monty import Monty
from rewardlab.task import Candidate, Form, Message, Setting, Task
from rewardlab.training.demonstrations import Demonstration, demonstrations
from rewardlab.training.expert import expert_on
from rewardlab.training.intake import Intake
from rewardlab.training.judge_tuning import conversations
from rewardlab.training.judging_tasks import JudgingTasks, Posed, verifiable
from tests.training.tiny import ROOT, backbone

FAMILIES = ["chain_sum", "word_sorting"]


@pytest.fixture(scope="module", autouse=True)
def configs() -> Iterator[None]:
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        yield


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Monty]:
    made = Monty()
    yield made
    made.close()


def posed(pick: float = 0.0, resource: float = 0.0, count: int = 3) -> tuple[Posed, ...]:
    return verifiable(count, 0, 0, FAMILIES, pick, resource).train


def judges(*names: str) -> dict[Setting, Any]:
    makers = [instantiate(compose("evaluate", [f"judge={name}"]).judge, _partial_=True) for name in names]
    return dict(zip(Setting, [makers[0], makers[-1]], strict=True))


def shown(tasks: tuple[Posed, ...], sandbox: Monty, *names: str) -> tuple[list[Demonstration], Intake]:
    intake = Intake()
    return demonstrations(tasks, judges(*names), sandbox, intake), intake


def calls(demonstration: Demonstration) -> list[str]:
    return [read_calls(turn.text, turn.tools)[1][0].name for turn in demonstration.turns]


@pytest.mark.parametrize(
    ("judge", "expected"),
    [
        ("skill_brief", ["python_sandbox", "record_evidence", "final_answer"]),
        ("skill_brief_resource", ["run_resource", "final_answer"]),
        ("skill_standard", ["use_skill", "python_sandbox", "record_evidence", "final_answer"]),
        ("tool_only", ["python_sandbox", "final_answer"]),
    ],
)
@pytest.mark.parametrize("pick", [0.0, 1.0])
def test_the_expert_follows_the_protocol_of_every_judge_with_tools(
    sandbox: Monty, judge: str, expected: list[str], pick: float
) -> None:
    found, intake = shown(posed(pick, float(judge.endswith("resource"))), sandbox, judge)
    assert len(found) == 6 and not intake.dropped
    assert all(calls(demonstration) == expected for demonstration in found)


def test_static_judges_get_the_same_verdicts_at_once_or_in_words(sandbox: Monty) -> None:
    tasks = posed(0.5)
    at_once, _ = shown(tasks, sandbox, "direct")
    reasoned, _ = shown(tasks, sandbox, "direct_reasoned")
    skill, _ = shown(tasks, sandbox, "skill_brief")
    labels = [demonstration.turns[0].text for demonstration in at_once]
    assert [d.place for d in at_once] == [d.place for d in reasoned] == [d.place for d in skill]
    assert [d.turns[0].text[-1] for d in reasoned] == labels == [d.turns[-1].text.split('"')[-2] for d in skill]
    assert {*labels} > {"A", "B"}
    sums = next(d.turns[0].text for d in reasoned if d.family == "chain_sum")
    assert sums.count(" = ") >= 2 and "Verdict: " in sums


def test_tasks_are_those_of_the_benchmark_and_every_family_comes_in_turn() -> None:
    tasks = posed(pick=0.5, resource=0.5, count=8)
    assert [p.family for p in tasks[:4]] == FAMILIES * 2
    assert posed(pick=0.5, resource=0.5, count=8) == tasks
    for p in tasks:
        benchmark = Verifiable("train", p.task.form, 8, 0, FAMILIES)
        (own,) = (t for t in benchmark.tasks(p.setting) if t.id == p.task.id)
        assert own.in_order([c.id for c in p.task.candidates]) == p.task
        assert p.right == benchmark.gold()[p.task.id]
    assert {p.task.form for p in tasks} == {Form.PAIR, Form.PICK} and {p.setting for p in tasks} == set(Setting)
    assert 0 < sum(p.task.candidates[0].id in p.right for p in tasks) < len(tasks)


def test_what_does_not_end_well_is_counted_and_left_out(sandbox: Monty) -> None:
    first, *rest = posed()
    wrong = next(c.id for c in first.task.candidates if c.id not in first.right)
    both = replace(first.task, candidates=tuple(replace(c, text="It is 7.") for c in first.task.candidates))
    strange = replace(first.task, question=(Message("user", "Which is nicer?"),))
    tasks = [first._replace(right=frozenset({wrong})), first._replace(task=both), first._replace(task=strange), *rest]
    for judge in ("skill_brief", "direct", "direct_reasoned"):
        found, intake = shown(tuple(tasks), sandbox, judge)
        assert len(found) == len(rest)
        assert intake.dropped == {"wrong verdict": 1, "no verdict": 1, "no check": 1}


def test_the_expert_sees_the_task_alone() -> None:
    """The only thing it is made from is what a judge gets, which cannot hold gold."""
    pair = (Candidate("x", "40 + 2 = 42. Answer: 42"), Candidate("y", "So the answer is 43."))
    task = Task("t", Form.PAIR, (Message("user", "Calculate 40 + 2."),), pair)
    sandbox = Monty()
    expert = asyncio.run(expert_on(task, sandbox))
    turned = asyncio.run(expert_on(task.in_order(["y", "x"]), sandbox))
    sandbox.close()
    assert expert and turned and (expert.label, turned.label) == ("A", "B")
    assert expert.reasoned() == "40 + 2 = 42; the result is 42, and candidate A gives it.\nVerdict: A"


@pytest.mark.parametrize("describe_tools", [False, True])
def test_a_conversation_is_what_the_model_would_be_asked_and_would_say(
    tmp_path: Path, sandbox: Monty, describe_tools: bool
) -> None:
    generator = LocalGenerator(str(backbone(tmp_path)), describe_tools=describe_tools)
    tokenizer = generator._tokenizer
    (demonstration, *_), _ = shown(posed(count=1), sandbox, "skill_brief")
    found = conversations(ChatPrompt(tokenizer), generator._ends, demonstration.turns, describe_tools)
    assert len(found) == (3 if describe_tools else 1)  # the menu shrinks from turn to turn
    spoken = [""]
    for text in found:
        for place in text.at:
            token = text.ids[place + 1]
            spoken[-1] += tokenizer.decode([token])
            if token in generator._ends:
                spoken.append("")
    assert spoken == [*(f"{turn.text}<end>" for turn in demonstration.turns), ""]
    for turn in demonstration.turns:
        asked = generator.prompt_ids(turn.messages, turn.tools, turn.tool_choice)
        assert any(list(text.ids[: len(asked)]) == asked and len(asked) - 1 in text.at for text in found)
    asyncio.run(generator.aclose())


def test_what_the_expert_writes_a_constrained_model_may_write(tmp_path: Path, sandbox: Monty) -> None:
    generator = LocalGenerator(str(backbone(tmp_path)))
    found, _ = shown(posed(0.5, 0.5), sandbox, "skill_brief", "skill_brief_resource")
    for demonstration in found:
        for turn in demonstration.turns:
            matcher = generator._grammar.matcher(turn.tools, turn.tool_choice)
            ids = generator._tokenizer(turn.text, add_special_tokens=False).input_ids
            assert matcher.try_consume_tokens(ids) == len(ids), turn.text
    asyncio.run(generator.aclose())


def test_sampling_settings_do_not_reach_the_data(sandbox: Monty) -> None:
    warm = instantiate(compose("evaluate", ["judge=direct_reasoned"]).judge, sampling=Sampling(0.7), _partial_=True)
    cold, _ = shown(posed(), sandbox, "direct_reasoned")
    assert demonstrations(posed(), dict.fromkeys(Setting, warm), sandbox, Intake()) == cold


def test_no_tasks_are_no_tasks() -> None:
    assert verifiable(1, 0, 0, FAMILIES, 0.0, 0.0).validation == ()
    assert isinstance(verifiable(1, 1, 0, FAMILIES, 0.0, 0.0), JudgingTasks)
