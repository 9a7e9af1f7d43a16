"""The commands against a server on loopback: dry runs, exit status, and what a config says reaching the wire."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from tests.models.server import Answer, Body, FaultServer, completion

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs an entry point in this process, which has imported everything; gives status, stdout and stderr."""

    def call(script: str, *overrides: str) -> tuple[int, str, str]:
        monkeypatch.chdir(root)
        monkeypatch.setattr(sys, "argv", [str(root / "experiments" / script), *overrides])
        GlobalHydra.instance().clear()
        capsys.readouterr()
        status: object = 0
        try:
            runpy.run_path(str(root / "experiments" / script), run_name="__main__")
        except SystemExit as end:
            status = end.code
        finally:
            GlobalHydra.instance().clear()
        out, err = capsys.readouterr()
        assert isinstance(status, int), status
        return status, out, err

    return call


def served(server: FaultServer, folder: Path) -> list[str]:
    prices = folder / "prices.yaml"
    prices.write_text("test-model: {prompt: 100, completion: 1000}\n")
    model = ["model=endpoint", "model.name=test-model", f"model.base_urls=[{server.url}]", f"model.prices={prices}"]
    return [*model, "model.concurrency=8", "tracking=none", f"results_dir={folder}", "benchmark.form=pair"]


def verdict(number: int, body: Body) -> Answer:
    return Answer(completion("Verdict: A").body, seconds=0.01)


def test_a_dry_run_sends_a_sample_says_what_the_rest_needs_and_pays_nothing_twice(
    command: Command, tmp_path: Path
) -> None:
    with FaultServer(verdict) as server:
        run = ["evaluate.py", *served(server, tmp_path), "judge=direct", "limit=20"]
        status, out, _ = command(*run, "dry_run=true", "dry_run_sample=6")
        assert (status, server.calls) == (0, 6)
        (row,) = (line for line in out.splitlines() if line.startswith("| verifiable"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        # 34 calls of 10 and 2 tokens, at 100 and 1000 a million.
        assert cells[1:7] == ["direct", "34/40", "6", "34", "340", "68"]
        assert cells[8] == "0.10"
        status, out, _ = command(*run)
        assert (status, server.calls) == (0, 40)
    assert "34 judgments made now" in out


def test_a_dry_run_of_a_profile_samples_every_arm_and_adds_up(command: Command, tmp_path: Path) -> None:
    with FaultServer(verdict) as server:
        direct = ",".join(f"'{item}'" for item in ("judge=direct", *served(server, tmp_path)))
        arms = f"[{direct}],['judge=first','model=none'],['judge=self_consistency_matched','judge.budget_run=x']"
        shared = "'benchmark=verifiable','benchmark.form=pair'"
        profile = ["limit=10", f"profile.shared=[{shared}]", f"profile.arms=[{arms}]", f"results_dir={tmp_path}"]
        status, out, err = command("reproduce.py", *profile, "dry_run=true", "dry_run_sample=4", "tracking=none")
        assert server.calls == 4
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line.startswith("|")]
    assert [(row[0], row[1], row[2], row[4]) for row in rows[2:]] == [
        ("verifiable", "direct", "16/20", "16"),
        ("verifiable", "always_first", "16/20", "0"),
        ("all", "", "32/40", "16"),
    ]
    assert status == 1
    assert "no forecast of" in err
    assert "set judge.budget_run" in err


@pytest.mark.parametrize(("most", "status"), [(0.5, 1), (0.8, 0)])
def test_too_many_judgments_without_a_verdict_end_with_status_1(
    command: Command, tmp_path: Path, most: float, status: int
) -> None:
    # One of four judgments gets a verdict.
    def seldom(number: int, body: Body) -> Answer:
        return verdict(number, body) if number < 1 else completion("I would rather not say.")

    with FaultServer(seldom) as server:
        run = [*served(server, tmp_path), "judge=direct", "judge.repairs=0", "limit=2", "model.concurrency=1"]
        found, _, err = command("evaluate.py", *run, f"max_no_verdict={most}")
    assert found == status
    assert ("75% of the judgments have no verdict" in err) == (status == 1)


@pytest.mark.parametrize("tool_format", ["native", "text"])
def test_a_skill_judge_uses_its_tools_in_the_fields_of_the_server_or_as_text(
    command: Command, tmp_path: Path, tool_format: str
) -> None:
    def answer(number: int, body: Body) -> Answer:
        if tool_format == "native":
            tools = [tool["function"] for tool in body["tools"]]
        else:
            offered = body["messages"][0]["content"].split("<tools>\n")[1].split("\n</tools>")[0]
            tools = [json.loads(line) for line in offered.splitlines()]
        schemas = {tool["name"]: tool["parameters"]["properties"] for tool in tools}
        name = "use_skill" if "use_skill" in schemas else "final_answer"
        arguments = {key: about["enum"][0] if "enum" in about else "A" for key, about in schemas[name].items()}
        if tool_format == "text":
            return completion(f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>")
        function = {"name": name, "arguments": json.dumps(arguments)}
        return completion("", "tool_calls", tool_calls=[{"id": "1", "type": "function", "function": function}])

    with FaultServer(answer) as server:
        run = [*served(server, tmp_path), "judge=skill_standard", "limit=2", f"model.tool_format={tool_format}"]
        status, _, err = command("evaluate.py", *run)
    assert status == 0, err
    assert all(("tools" in body) == (tool_format == "native") for body in server.bodies)
    (folder,) = (tmp_path / "evaluate").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == {"ok": 4}
    assert manifest["identity"]["model.tool_format"] == tool_format
    assert json.loads((folder / "metrics.json").read_text())["summary"]["tool_calls_per_judgment"]["use_skill"] == 1
