"""Finished run folders to report on: real judges on a small JudgeBench of our own, without Lightning."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from rewardlab.benchmarks.judgebench import JudgeBench
from rewardlab.evaluation.grading import metrics
from rewardlab.evaluation.plan import Protocol, make_plan
from rewardlab.judges.content_blind import ContentBlind
from rewardlab.judges.direct import Direct
from rewardlab.judges.protocol import Judge
from rewardlab.models.protocol import Generator
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.store.folder import RunFolder
from rewardlab.store.identity import make_identity, run_id
from rewardlab.store.manifest import make_manifest
from rewardlab.task import Message
from rewardlab.verdict import Judgment

QUESTIONS = 40


def small_benchmark(folder: Path, questions: int = QUESTIONS) -> JudgeBench:
    """Sums with a right and a wrong result, in the upstream layout."""
    lines = []
    for i in range(questions):
        a, b = f"The sum is {2 * i + 1}.", f"The sum is {2 * i + 3}, which is <b>long</b> & wrong."
        row = {
            "pair_id": f"pair_{i}",
            "source": "livebench-math" if i % 2 else "mmlu-pro-law",
            "question": f"What is {i} + {i + 1}?",
            "response_model": "gpt-4o",
            "response_A": a if i % 3 else b,
            "response_B": b if i % 3 else a,
            "label": "A>B" if i % 3 else "B>A",
        }
        lines.append(json.dumps(row))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "gpt.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return JudgeBench(str(path))


def answering(right: float, silent: float = 0.0) -> ScriptedGenerator:
    """A model that names the right response to a share of questions, and nothing to another."""

    def script(messages: Sequence[Message], tools: object, repeat: int) -> str:
        text = messages[1].content
        draw = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 16**8
        if draw < silent:
            return "I would rather not say."
        a_is_right = text.index("long") > text.rindex("The sum is")
        good, bad = ("A", "B") if a_is_right else ("B", "A")
        return f"Verdict: {good if draw < silent + right else bad}"

    return ScriptedGenerator(script, name="scripted-model")


def finish(
    parent: Path,
    benchmark: JudgeBench,
    judge: Judge,
    generator: Generator | None = None,
    limit: int | None = None,
    seed: int = 0,
    protocol: Protocol = Protocol.AUDITED,
) -> Path:
    """Judge, grade and write a run folder, as `rewardlab.evaluation.run` does under Lightning."""
    model = asyncio.run(generator.identity()) if generator else {}
    parts = {"config": {"judge": judge.name}, "seed": seed, "protocol": protocol.value, "limit": limit, "model": model}
    identity = make_identity(parts | {"data": benchmark.identity()})
    plan = make_plan(benchmark, judge, protocol, seed, limit, 1)
    judgments = [
        Judgment(p.task.id, tuple(c.id for c in p.task.candidates), p.repeat, asyncio.run(judge.judge(p.task)))
        for p in plan
    ]
    folder = RunFolder(parent / f"{judge.name}-{run_id(identity)}", identity)
    gold = benchmark.gold()
    with folder.rows() as rows:
        for judgment in judgments:
            rows.add(judgment)
        rows.keep_gold({judgment.task_id: gold[judgment.task_id] for judgment in judgments})
    grades, content = metrics(benchmark, judgments, seed)
    details = {"benchmark": benchmark.name, "judge": judge.name, "setting": judge.setting.value, "model": dict(model)}
    manifest = make_manifest(identity, judgments, judgments[0].verdict.usage, 2.0, 3.0, details)
    folder.finish(judgments, [item._asdict() for item in grades.items], content | {"judge": judge.name}, manifest)
    return folder.path


def model_arm(parent: Path, benchmark: JudgeBench, name: str, right: float, silent: float = 0.0, **how: int) -> Path:
    """A run of a static judge with a scripted model."""
    generator = answering(right, silent)
    return finish(parent, benchmark, Direct(generator, name=name, read="text", repairs=0), generator, **how)


def blind_arm(parent: Path, benchmark: JudgeBench, rule: str) -> Path:
    """A run of a content-blind judge."""
    return finish(parent, benchmark, ContentBlind(rule, 0))
