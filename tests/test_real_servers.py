"""Judgments through real servers, by the command that a user gives: `make test-servers`."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rewardlab.models.embedded import gguf_path
from tests.models.real_server import PLAIN, WITH_TOOLS, lay_out, llama_cpp, llama_cpp_program, transformers_serve

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

ONE_PAIR = ("benchmark.form=pair", "benchmark.per_family=1", "limit=1", "tracking=none", "max_no_verdict=1")
SHORT = ("judge.sampling.max_tokens=40",)


@pytest.fixture(scope="module")
def transformers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not importlib.util.find_spec("openai"):
        pytest.skip("transformers serve needs the extra `serve`")
    folder = tmp_path_factory.mktemp("served")
    lay_out(folder)
    with transformers_serve(folder) as url:
        yield url


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = llama_cpp_program()
    if not program:
        pytest.skip("llama.cpp is not installed: neither llama-server nor llama-cpp-python[server]")
    with llama_cpp(program, tmp_path_factory.mktemp("llama"), gguf_path()) as url:
        yield url


def judged(root: Path, results: Path, url: str, name: str, *overrides: str) -> tuple[dict[str, Any], list[Any]]:
    """Run experiments/evaluate.py; gives the manifest and the verdicts with their traces."""
    model = ("model=endpoint", f"model.name={name}", f"model.base_urls=[{url}]")
    line = [sys.executable, "experiments/evaluate.py", *model, *ONE_PAIR, *SHORT, f"results_dir={results}", *overrides]
    done = subprocess.run(line, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (manifest,) = results.rglob("manifest.json")
    with sqlite3.connect(manifest.parent / "rows.sqlite") as db:
        verdicts = [json.loads(body)["verdict"] for (body,) in db.execute("SELECT body FROM rows")]
    return json.loads(manifest.read_text()), verdicts


def replies(verdict: Any) -> list[dict[str, Any]]:
    return [event["detail"] for event in verdict["trace"] if event["kind"] == "reply"]


def holds(manifest: dict[str, Any], verdicts: list[Any]) -> None:
    """What must be so whatever a server's model says."""
    assert len(verdicts) == 2
    assert set(manifest["status"]) <= {"ok", "unparseable", "truncated"}
    for verdict in verdicts:
        assert verdict["usage"]["prompt_tokens"] > 100
        assert verdict["usage"]["completion_tokens"] > 0
        assert {reply["finish_reason"] for reply in replies(verdict)} <= {"stop", "length", "tool_calls"}


class TestTransformersServe:
    def test_direct(self, root: Path, tmp_path: Path, transformers: str) -> None:
        manifest, verdicts = judged(root, tmp_path, transformers, PLAIN, "judge=direct")
        holds(manifest, verdicts)
        # It lists no model that lies in a folder, so the name is the one of a reply.
        assert manifest["model"]["served"] == f"{PLAIN}@main"
        assert all(reply["text"] for verdict in verdicts for reply in replies(verdict))

    def test_a_skill_with_tools_as_text(self, root: Path, tmp_path: Path, transformers: str) -> None:
        settings = ("judge=skill_standard", "judge.limits.turns=2", "judge.repairs=0", "model.tool_format=text")
        manifest, verdicts = judged(root, tmp_path, transformers, PLAIN, *settings)
        holds(manifest, verdicts)
        assert manifest["model"]["tool_format"] == "text"

    def test_a_skill_with_native_tool_calls(self, root: Path, tmp_path: Path, transformers: str) -> None:
        settings = ("judge=skill_standard", "judge.limits.turns=2", "judge.repairs=0")
        manifest, verdicts = judged(root, tmp_path, transformers, WITH_TOOLS, *settings)
        holds(manifest, verdicts)
        for verdict in verdicts:
            loading, final = replies(verdict)
            assert [call["name"] for call in loading["tool_calls"]] == ["use_skill"]
            assert [call["name"] for call in final["tool_calls"]] == ["final_answer"]
            assert json.loads(final["tool_calls"][0]["arguments"])["verdict"]
            assert {loading["finish_reason"], final["finish_reason"]} == {"tool_calls"}
            assert verdict["tools"]["use_skill"] == 1


class TestLlamaCpp:
    def test_direct(self, root: Path, tmp_path: Path, llama: str) -> None:
        manifest, verdicts = judged(root, tmp_path, llama, PLAIN, "judge=direct")
        holds(manifest, verdicts)
        assert manifest["model"]["served"] == PLAIN

    @pytest.mark.parametrize("tool_format", ["native", "text"])
    def test_a_skill(self, root: Path, tmp_path: Path, llama: str, tool_format: str) -> None:
        settings = (
            "judge=skill_standard",
            "judge.limits.turns=2",
            "judge.repairs=0",
            f"model.tool_format={tool_format}",
        )
        holds(*judged(root, tmp_path, llama, PLAIN, *settings))
