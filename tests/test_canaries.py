"""No text that a judge may not see reaches a request, a tool result or a trace, whoever judges what in which setting.

The files of `tests.canaries` mark every text; the model of `tests.walker` opens and runs all that it is offered.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from rewardlab.benchmarks.judgebench import JudgeBench
from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.benchmarks.rm_bench import RMBench
from rewardlab.evaluation.plan import Protocol, make_plan
from rewardlab.judges.content_blind import ContentBlind
from rewardlab.judges.direct import Direct
from rewardlab.judges.protocol import Judge
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.skills.package import load_package
from rewardlab.task import Message, Setting, Task
from rewardlab.verdict import Judgment, Verdict
from tests.canaries import BENCHMARKS
from tests.walker import JUDGES, scripted

COMBINATIONS = 816  # (benchmark, judge, setting), those that fit by the form of their tasks


def seen(judge: Judge, generator: ScriptedGenerator, tasks: Iterable[Task]) -> str:
    """All that a judge was sent, was told by its tools and wrote down about tasks."""

    async def judge_all() -> list[Verdict]:
        return [await judge.judge(task) for task in tasks]

    verdicts = asyncio.run(judge_all())
    kept = [repr((v.trace, v.note, [(e.criterion, e.observation, e.source) for e in v.ledger])) for v in verdicts]
    return "\n".join([*(request.text for request in generator.requests), *kept])


def names(benchmark: Benchmark, task: Task) -> set[str]:
    """What names a task or a candidate; single words and small numbers are names of nothing."""
    place = benchmark.places()[task.id]
    ids = {task.id, place.example, *(candidate.id for candidate in task.candidates)}
    return {name for name in ids if len(name) >= 6}


def leaks(benchmark: Benchmark, setting: Setting, tasks: Iterable[Task], text: str) -> set[str]:
    """What of the benchmark stands in a text and may not."""
    kinds = "HIDDEN" if setting is Setting.RESOURCE else "HIDDEN|RESOURCE"
    found = set(re.findall(rf"(?:{kinds})-[\w-]*|7770[123](?:\.25)?", text))
    return found | {name for task in tasks for name in names(benchmark, task) if name in text}


def marked(kind: str, texts: Iterable[str]) -> set[str]:
    """The markers of a kind in texts."""
    return set(re.findall(rf"{kind}-[\w-]*-", "\n".join(texts)))


def fitting(tasks: Iterable[Task], judge: Judge) -> list[Task]:
    return [task for task in tasks if task.form in judge.forms]


@pytest.fixture(scope="module")
def benchmarks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Benchmark]:
    return {name: make(tmp_path_factory.mktemp("HIDDEN-folder")) for name, make in BENCHMARKS.items()}


@pytest.fixture(scope="module")
def covered() -> set[tuple[str, str, Setting]]:
    """Filled by the test of every benchmark, counted by the one after them."""
    return set()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_no_judge_sees_a_hidden_text(
    root: Path, benchmarks: dict[str, Benchmark], covered: set[tuple[str, str, Setting]], name: str
) -> None:
    """Judges are given the tasks of both settings, also those whose own setting is the standard one."""
    benchmark = benchmarks[name]
    for setting in Setting:
        for judge_name, make in JUDGES.items():
            generator = scripted()
            judge = make(generator, root)
            if tasks := fitting(benchmark.tasks(setting), judge):
                text = seen(judge, generator, tasks)
                assert leaks(benchmark, setting, tasks, text) == set(), f"{judge_name} in {setting.value}"
                if generator.requests:
                    shown = [m.content for task in tasks for m in task.question]
                    shown += [t for task in tasks for c in task.candidates for t in (c.steps or (c.text,))]
                    assert marked("VISIBLE", shown) <= marked("VISIBLE", [text])
                covered.add((name, judge_name, setting))


def test_every_combination_was_covered(covered: set[tuple[str, str, Setting]]) -> None:
    if len({name for name, *_ in covered}) < len(BENCHMARKS):
        pytest.skip("counts what the test before it covered, which was not run for every benchmark")
    assert len(covered) == COMBINATIONS


def test_every_judge_of_a_config_is_among_them(root: Path) -> None:
    """Reward models see no prompt of ours but a conversation and its answer; readers of scores or rows see nothing."""
    others = {"Scalar", "Process", "Recorded", "Reread"}
    files = (root / "configs" / "judge").glob("*.yaml")
    named = {target.rsplit(".")[-1] for file in files if (target := OmegaConf.load(file).get("_target_"))}
    assert named - others == {type(make(scripted(), root)).__name__ for make in JUDGES.values()}


@pytest.mark.parametrize("name", ["judgebench", "rewardbench2 pick", "if_rewardbench overall", "humanevalpack"])
def test_allowed_resources_are_seen_in_the_resource_setting(
    root: Path, benchmarks: dict[str, Benchmark], name: str
) -> None:
    """The control without which a walk that opens nothing would pass."""
    generator = scripted()
    judge = JUDGES["skill resource"](generator, root)
    tasks = fitting(benchmarks[name].tasks(Setting.RESOURCE), judge)
    allowed = marked("RESOURCE", [r.content for task in tasks for r in task.resources])
    assert allowed and allowed <= marked("RESOURCE", [seen(judge, generator, tasks)])


def test_the_walk_uses_every_tool_and_reads_every_sandbox_input(root: Path, benchmarks: dict[str, Benchmark]) -> None:
    judge = JUDGES["skill resource"](scripted(), root)
    task = benchmarks["judgebench"].tasks(Setting.RESOURCE)[0]
    verdict = asyncio.run(judge.judge(task))
    assert set(verdict.tools) == {
        "use_skill", "list_resources", "view_resource", "run_resource", "python_sandbox", "record_evidence",
        "final_answer",
    }  # fmt: skip
    printed = [e.detail for e in verdict.trace if e.kind == "tool" and e.detail["name"] == "python_sandbox"]
    assert [detail["ok"] for detail in printed] == [True, True, True, False]
    assert task.question[0].content in printed[0]["result"]
    assert all(candidate.text in printed[1]["result"] for candidate in task.candidates)


def planted(text: Callable[[Task], str]) -> Callable[[Task], Task]:
    """Put a text into a task's question, as a careless loader would."""
    return lambda task: replace(task, question=(*task.question, Message("user", text(task))))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lambda task: "HIDDEN-error-note-", id="hidden_field"),
        pytest.param(lambda task: "RESOURCE-key-", id="resource_in_standard"),
        pytest.param(lambda task: task.id, id="task_id"),
        pytest.param(lambda task: task.candidates[0].id, id="candidate_id"),
    ],
)
def test_a_leak_is_found(root: Path, benchmarks: dict[str, Benchmark], text: Callable[[Task], str]) -> None:
    benchmark, generator = benchmarks["judgebench"], scripted()
    tasks = [planted(text)(task) for task in benchmark.tasks(Setting.STANDARD)]
    assert leaks(benchmark, Setting.STANDARD, tasks, seen(Direct(generator), generator, tasks))


INDEX = "Resources:\n"
FENCED = re.compile(r"^(`{3,})\n.*?\n\1$", re.DOTALL | re.MULTILINE)
OF_SAMPLE = re.compile(r"- sample-\w+ \(read\): this sample's \w+")


def words(generator: ScriptedGenerator) -> dict[str, set[Any]]:
    """What a judge's requests hold beside texts of the benchmark, by where it stands.

    The system message and the skill (what use_skill returned) up to the index of the sample's resources, the lines of
    that index, and the tools without the arguments on offer.
    """
    found: dict[str, set[Any]] = {"system": set(), "skill": set(), "index": set(), "tools": set()}
    for request in generator.requests:
        loaded = {c.id for m in request.messages for c in m.tool_calls if c.name == "use_skill"}
        skill = [m.content for m in request.messages if m.tool_call_id in loaded and m.role == "tool"]
        for part, texts in (("system", [request.messages[0].content]), ("skill", skill)):
            for body, _, index in (text.partition(INDEX) for text in texts):
                found[part].add(body)
                found["index"] |= set(index.splitlines())
        found["tools"] |= {(tool.name, tool.description) for tool in request.tools}
    return found


SPEAKING = [name for name in JUDGES if not name.startswith(("blind", "verifier", "panel"))]


@pytest.mark.parametrize("judge_name", SPEAKING)
@pytest.mark.parametrize("setting", Setting)
def test_our_words_are_the_same_for_every_benchmark(
    root: Path, benchmarks: dict[str, Benchmark], judge_name: str, setting: Setting
) -> None:
    """System message and skill text are equal to the letter over all benchmarks; the index may name what a sample has.

    What stands outside the fences of the question depends on its form, its contract and which texts it has.
    """
    hashes: dict[str, set[str]] = {"system": set(), "skill": set()}
    questions: dict[tuple[object, ...], str] = {}
    tools: dict[str, str] = {}
    for benchmark in benchmarks.values():
        for task in fitting(benchmark.tasks(setting), JUDGES[judge_name](scripted(), root))[:3]:
            generator = scripted()
            asyncio.run(JUDGES[judge_name](generator, root).judge(task))
            found = words(generator)
            for part, shas in hashes.items():
                shas |= {hashlib.sha256(text.encode()).hexdigest() for text in found[part]}
            assert {line for line in found["index"] if not OF_SAMPLE.fullmatch(line)} <= of_package(root)
            assert all(tools.setdefault(name, about) == about for name, about in found["tools"])
            texts = tuple(len(candidate.steps) for candidate in task.candidates)  # a step has a section of its own
            pasted = tuple(resource.id for resource in task.resources)  # a flat prompt has a section for each
            shape = (task.form, task.contract, tuple(m.role for m in task.question), texts, pasted)
            outside = FENCED.sub("", generator.requests[0].messages[1].content)
            assert questions.setdefault(shape, outside) == outside
    assert len(hashes["system"]) == 1
    assert len(hashes["skill"]) == int(judge_name in ("skill standard", "skill resource"))


def of_package(root: Path) -> set[str]:
    """Every line that the index of our package can have."""
    resources = load_package(root / "skills" / "reward-evaluation").resources
    return {f"- {r.id} ({'run' if r.verifier else 'read'}): {r.summary}" for r in resources}


def always_first(benchmark: Benchmark, protocol: Protocol) -> dict[str, float | None]:
    judge = ContentBlind("first", seed=0)

    async def judge_all() -> list[Judgment]:
        plan = make_plan(benchmark, judge, protocol, seed=0, limit=None, repeats=1)
        orders = [(p.task, tuple(c.id for c in p.task.candidates)) for p in plan]
        return [Judgment(task.id, order, 0, await judge.judge(task)) for task, order in orders]

    return dict(benchmark.grade(asyncio.run(judge_all())).official)


def test_always_first_earns_all_as_released_and_half_audited(benchmarks: dict[str, Benchmark]) -> None:
    assert always_first(benchmarks["rm_bench pair"], Protocol.RELEASED)["micro"] == 1
    assert always_first(benchmarks["rm_bench pair"], Protocol.AUDITED)["micro"] == 0.5
    for protocol in Protocol:
        assert always_first(benchmarks["judgebench"], protocol)["accuracy"] == 0


@pytest.mark.shared_data
def test_always_first_on_the_released_data(shared_data: Path) -> None:
    pairs = RMBench(str(shared_data / "rm-bench"))
    released, audited = (always_first(pairs, protocol) for protocol in (Protocol.RELEASED, Protocol.AUDITED))
    assert (released["micro"], released["overall"]) == (1, 1)
    assert (audited["micro"], audited["overall"]) == (0.5, pytest.approx(0.5))
    bench = JudgeBench(str(shared_data / "judgebench-openrs"))
    assert [always_first(bench, protocol)["accuracy"] for protocol in Protocol] == [0, 0]
