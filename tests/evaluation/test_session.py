"""Configs from the command line to a finished run, with a scripted model in place of a language model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException

from rewardlab.errors import UserError
from rewardlab.evaluation.run import Run
from rewardlab.evaluation.session import Session, build_generator
from rewardlab.models.protocol import Tool
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.task import Message
from tests.benchmarks.test_judgebench import openrs_row
from tests.benchmarks.test_judgebench import write as write_judgebench
from tests.benchmarks.test_rm_bench import write as write_rm_bench


def always_a(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> str:
    return "A>B"


def only_at_the_end(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> str:
    """Says nothing in an agent's conversation, and answers where the static judge stands in for it."""
    return "Output (a)" if [tool.name for tool in tools] == ["final_answer"] and len(messages) == 2 else "hm"


SCRIPTS = {"always_a": always_a, "only_at_the_end": only_at_the_end}


def scripted(script: str, concurrency: int) -> ScriptedGenerator:
    """The model of the configs here."""
    return ScriptedGenerator(SCRIPTS[script])


def run(root: Path, tmp_path: Path, script: str, *overrides: str) -> Run:
    model = ["model=none", f"+model._target_={__name__}.scripted", f"+model.script={script}"]
    with initialize_config_dir(str(root / "configs"), version_base=None):
        config = compose("evaluate", overrides=[*overrides, *model, "tracking=none", f"results_dir={tmp_path}"])
    with Session() as session:
        return session.run(config)


def rm_bench(tmp_path: Path) -> list[str]:
    return ["benchmark=rm_bench", f"benchmark.path={write_rm_bench(tmp_path / 'data')}", "benchmark.pinned=false"]


def test_as_released_always_a_wins_all_of_rm_bench_and_the_manifest_says_why(root: Path, tmp_path: Path) -> None:
    released = run(root, tmp_path, "always_a", *rm_bench(tmp_path), "judge=direct", "protocol=released")
    assert released.metrics["official"][released.metrics["headline"]] == 1
    assert {fault["id"]: fault["kept"] for fault in released.manifest["faults"]}["F1"]
    identity = released.manifest["identity"]
    assert identity["config.judge._target_"] == "rewardlab.judges.released.baseline.Baseline"
    assert "16" in identity["judge.released"]
    assert "config.judge.repairs" not in identity
    audited = run(root, tmp_path, "always_a", *rm_bench(tmp_path), "judge=direct")
    assert "faults" not in audited.manifest
    assert audited.folder != released.folder


def test_what_only_the_fallback_answered_counts_officially_and_not_strictly(root: Path, tmp_path: Path) -> None:
    file = write_judgebench(tmp_path / "gpt.jsonl", [openrs_row(n, "mmlu-pro-law") for n in range(3)])
    data = ["benchmark=judgebench", f"benchmark.path={file}", "benchmark.pinned=false"]
    done = run(root, tmp_path, "only_at_the_end", *data, "judge=skill_standard", "protocol=released")
    assert done.manifest["source"]["fallback"] == done.manifest["judgments"] > 0
    assert done.metrics["summary"]["fallback_rate"] == 1
    assert done.metrics["summary"]["own_verdict_rate"] == 0
    assert done.metrics["strict"]["accuracy"] == 0
    assert done.metrics["official"]["n_nulls"] == 0
    assert done.metrics["no_verdict_items"] > 0


def test_a_judge_that_the_release_does_not_have_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no settings for judge self_consistency"):
        run(root, tmp_path, "always_a", *rm_bench(tmp_path), "judge=self_consistency", "protocol=released")
    with pytest.raises(InstantiationException, match="no reasoned baseline"):
        run(root, tmp_path, "always_a", *rm_bench(tmp_path), "judge=direct_reasoned", "protocol=released")


def test_a_judge_without_a_model_only_follows_the_released_orders(root: Path, tmp_path: Path) -> None:
    done = run(root, tmp_path, "always_a", *rm_bench(tmp_path), "judge=first", "protocol=released")
    assert done.metrics["official"][done.metrics["headline"]] == 1


def test_every_setting_of_a_served_model_reaches_it(root: Path) -> None:
    with initialize_config_dir(str(root / "configs"), version_base=None):
        overrides = ["model=endpoint", "model.name=m", "model.base_urls=[http://localhost:1/v1]", "seed=3"]
        config = compose("evaluate", overrides=[*overrides, "model.tool_format=text"])
    built = build_generator(config.model)
    assert repr(built) == "Endpoint('m', ['http://localhost:1/v1'], tool_format='text', thinking=None)"
