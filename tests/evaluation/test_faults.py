"""What becomes of a run when its server or its settings do not stay what they were. Servers are on loopback."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from rewardlab.errors import IdentityMismatch
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.run import Run, Settings, evaluate
from rewardlab.evaluation.session import Session
from rewardlab.judges import render
from rewardlab.judges.direct import Direct
from rewardlab.models.endpoint import Endpoint
from rewardlab.models.protocol import Sampling
from rewardlab.randomness import stream
from rewardlab.store.rows import RowStore
from tests.benchmarks.test_judgebench import openrs_row
from tests.benchmarks.test_judgebench import write as write_judgebench
from tests.evaluation.toy import ToyBenchmark
from tests.models.server import Answer, Body, FaultServer, completion, too_many
from tests.models.test_endpoint import MALFORMED

VERDICT = completion("Verdict: A")
JUDGMENTS = 80


def run(folder: Path, *servers: FaultServer, timeout: float | None = None, **options: object) -> Run:
    """Judge `JUDGMENTS` presentations with a static judge at servers that are given up quickly."""
    quick = {"timeout": 2.0, "backoff_seconds": 0.02, "probe_seconds": 0.05, "outage_seconds": 0.3, "retries": 1}
    urls = [server.url for server in servers]
    model = Endpoint("test-model", urls, stream(0, "endpoint"), **{"concurrency": 8, **quick, **options})  # type: ignore[arg-type]
    judge = Direct(model, reasoning=False, read="text", repairs=0, sampling=Sampling(max_tokens=8))
    settings = Settings(seed=0, concurrency=8, timeout=timeout)
    loop = LoopThread()
    try:
        return evaluate(loop, ToyBenchmark({"math": JUDGMENTS // 2}), judge, model, settings, {}, folder, folder)
    finally:
        loop.run(model.aclose())
        loop.close()


def once(condition: Callable[[], bool], then: Callable[[], object]) -> threading.Thread:
    """A thread that does something as soon as something is so."""

    def wait() -> None:
        while not condition():
            time.sleep(0.005)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def slowly(number: int, body: Body) -> Answer:
    return Answer(VERDICT.body, seconds=0.02)


# 2: the server goes away and comes back


def test_nothing_that_an_outage_took_counts_as_done_and_all_of_it_is_judged_again(tmp_path: Path) -> None:
    with FaultServer(slowly) as server:
        outage = once(lambda: server.calls >= 30, server.stop)
        first = run(tmp_path / "run", server)
        outage.join()
        lost = first.manifest["status"]["endpoint_error"]
        assert first.manifest["status"] == {"endpoint_error": lost, "ok": JUDGMENTS - lost}
        assert lost >= JUDGMENTS // 4
        with RowStore(first.folder / "rows.sqlite") as rows:
            assert len(rows.finished()) == JUDGMENTS - lost
        server.start()
        before = server.calls
        second = run(tmp_path / "run", server)
        assert second.judged_now == lost == server.calls - before
        assert second.manifest["status"] == {"ok": JUDGMENTS}
        unbroken = run(tmp_path / "unbroken", server)
    for name in ("metrics.json", "items.jsonl.zst"):
        assert (second.folder / name).read_bytes() == (unbroken.folder / name).read_bytes()
    counts = second.manifest["servers"][server.url]
    assert counts["times_down"] >= 1
    # Requests of the first session that found nobody count as well.
    assert counts["calls"] == second.manifest["usage"]["calls"]
    assert counts["calls"] - counts["failures"] == JUDGMENTS


# 3: the same folder, another run


def endpoint_run(root: Path, folder: Path, server: FaultServer, *overrides: str) -> Run:
    model = ["model=endpoint", "model.name=test-model", f"model.base_urls=[{server.url}]", "model.retries=0"]
    data = ["benchmark=judgebench", f"benchmark.path={folder / 'gpt.jsonl'}", "benchmark.pinned=false"]
    judge = ["judge=skill_standard", "judge.limits.turns=2", f"skill.path={folder / 'reward-evaluation'}", "repeats=1"]
    settings = ["tracking=none", f"results_dir={folder}", f"run_folder={folder / 'run'}"]
    with initialize_config_dir(str(root / "configs"), version_base=None):
        config = compose("evaluate", overrides=[*model, *data, *judge, *settings, *overrides])
    with Session() as session:
        return session.run(config)


def another_model(folder: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.models = [{"id": "test-model", "root": "org/other-weights"}]


def another_prompt(folder: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(render.PROMPTS, folder / "prompts")
    (folder / "prompts" / "skill_system.txt").write_text(render.template("skill_system") + "\nBe brief.")
    monkeypatch.setattr(render, "PROMPTS", folder / "prompts")
    render.template.cache_clear()


def another_skill(folder: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "reward-evaluation" / "SKILL.md").open("a") as file:
        file.write("\nBe brief.\n")


def other_data(folder: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    write_judgebench(folder / "gpt.jsonl", [openrs_row(n, "mmlu-pro-law", prompt=f"other {n}") for n in range(2)])


VARIANTS = {
    "model": (another_model, (), "model.root: stored 'org/test-model', wanted 'org/other-weights'"),
    "seed": (None, ("seed=1",), "seed: stored '0', wanted '1'"),
    "temperature": (
        None,
        ("judge.sampling.temperature=0.5",),
        "config.judge.sampling.temperature: stored '0.0', wanted '0.5'",
    ),
    "prompt": (another_prompt, (), "judge.prompts: stored "),
    "skill": (another_skill, (), "judge.skill: stored "),
    "data": (other_data, (), "data.sha256: stored "),
}


@pytest.fixture(scope="module")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run beside its data and its skill; to be copied and not touched."""
    folder = tmp_path_factory.mktemp("finished")
    write_judgebench(folder / "gpt.jsonl", [openrs_row(n, "mmlu-pro-law") for n in range(2)])
    shutil.copytree(root / "skills" / "reward-evaluation", folder / "reward-evaluation")
    with FaultServer(slowly) as server:
        assert endpoint_run(root, folder, server).judged_now == 4
    return folder


@pytest.mark.parametrize(("change", "overrides", "difference"), VARIANTS.values(), ids=VARIANTS.keys())
def test_a_folder_of_another_run_is_refused_with_the_field_that_differs(
    root: Path,
    tmp_path: Path,
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, FaultServer, pytest.MonkeyPatch], None] | None,
    overrides: tuple[str, ...],
    difference: str,
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    before = {path.name: path.read_bytes() for path in (folder / "run").iterdir()}
    with FaultServer(slowly) as server:
        assert endpoint_run(root, folder, server).judged_now == 0
        try:
            if change is not None:
                change(folder, server, monkeypatch)
            with pytest.raises(IdentityMismatch) as refused:
                endpoint_run(root, folder, server, *overrides)
        finally:
            monkeypatch.undo()
            render.template.cache_clear()
        assert server.calls == 0
    assert difference in str(refused.value)
    changed = {path.name for path in (folder / "run").iterdir() if path.read_bytes() != before.get(path.name)}
    assert not {name for name in changed if not name.startswith("rows.sqlite-")}


# 5: one of three servers dies


def test_when_one_of_three_servers_dies_the_run_goes_on_and_the_manifest_says_where_calls_went(tmp_path: Path) -> None:
    with FaultServer(slowly) as one, FaultServer(slowly) as two, FaultServer(slowly) as dying:
        death = once(lambda: dying.calls >= 8, dying.stop)
        done = run(tmp_path, one, two, dying, retries=4)
        death.join()
    assert done.manifest["status"] == {"ok": JUDGMENTS}
    counts = done.manifest["servers"]
    assert set(counts) == {one.url, two.url, dying.url}
    assert [counts[server.url]["times_down"] >= 1 for server in (one, two, dying)] == [False, False, True]
    assert counts[one.url]["calls"] == one.calls
    assert sum(of_one["calls"] for of_one in counts.values()) == done.manifest["usage"]["calls"]


# 6: servers that do not answer, or answer nonsense


def test_a_server_that_accepts_and_never_answers_ends_as_timeouts_in_time(tmp_path: Path) -> None:
    # The first calls pay timeout * (1 + retries) + backoff; then the outage is known, and eighty judgments are no
    # longer a matter of ten such rounds, although the server goes on to answer what models it has.
    with FaultServer(lambda n, body: Answer(hang=True)) as server:
        started = time.monotonic()
        done = run(tmp_path, server, timeout=60, retries=1)
        taken = time.monotonic() - started
    statuses = done.manifest["status"]
    assert set(statuses) <= {"timeout", "endpoint_error"}
    assert sum(statuses.values()) == JUDGMENTS
    assert taken < 15
    assert done.no_verdict_share == 1.0


def test_a_judgment_has_a_time_limit_of_its_own(tmp_path: Path) -> None:
    def once_in_a_while(number: int, body: Body) -> Answer:
        return Answer(hang=True) if number % 10 == 0 else VERDICT

    with FaultServer(once_in_a_while) as server:
        done = run(tmp_path, server, timeout=0.3)
    assert done.manifest["status"] == {"ok": JUDGMENTS - JUDGMENTS // 10, "timeout": JUDGMENTS // 10}


def test_malformed_replies_become_statuses_or_are_survived_and_never_verdicts(tmp_path: Path) -> None:
    nonsense = [*MALFORMED.values(), too_many("0.01")]
    with FaultServer(lambda n, body: nonsense[n % len(nonsense)]) as server:
        done = run(tmp_path / "only", server)
    assert done.manifest["status"] == {"endpoint_error": JUDGMENTS}
    with FaultServer(lambda n, body: VERDICT if n % 2 else nonsense[n // 2 % len(nonsense)]) as server:
        done = run(tmp_path / "half", server, retries=20)
    assert done.manifest["status"] == {"ok": JUDGMENTS}
    assert json.loads((done.folder / "manifest.json").read_text())["servers"][server.url]["failures"] > 0


# What a server refuses is recorded


def test_a_thinking_field_that_the_server_refuses_is_dropped_and_the_manifest_says_so(tmp_path: Path) -> None:
    def refuses(number: int, body: Body) -> Answer:
        thinking = "chat_template_kwargs" in body
        return Answer({"error": {"message": "unknown field chat_template_kwargs"}}, 400) if thinking else VERDICT

    with FaultServer(refuses) as server:
        done = run(tmp_path, server, thinking=False)
    assert done.manifest["status"] == {"ok": JUDGMENTS}
    assert done.manifest["identity"]["model.thinking"] == "False"
    assert done.manifest["servers"][server.url]["without_thinking"] == JUDGMENTS


def test_prompts_that_do_not_fit_get_a_final_status(tmp_path: Path) -> None:
    error = Answer({"error": {"message": "This model's maximum context length is 16 tokens."}}, 400)
    with FaultServer(lambda n, body: error) as server:
        assert run(tmp_path, server).manifest["status"] == {"truncated": JUDGMENTS}
        assert run(tmp_path, server).judged_now == 0
        assert server.calls == JUDGMENTS
