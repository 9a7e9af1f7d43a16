"""One run: a judge over a benchmark, from identity to manifest.

The run's folder is named by its identity. A folder that is there already is the same run, so only what has no final
row is judged; a folder of another run is refused. Rows are committed one by one, so a run that was killed goes on where
it was, and its metrics are those of an unbroken run.

A served model is always asked what it is. One that would have to be loaded first is not, when a finished run agrees in
everything else and the model's files are those that it was loaded from.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.evaluation.dispatcher import Dispatcher
from rewardlab.evaluation.grading import metrics
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.plan import Presentation, Protocol, make_plan
from rewardlab.evaluation.progress import Progress
from rewardlab.evaluation.stop import Stopped
from rewardlab.judges.protocol import Judge
from rewardlab.judges.released.faults import faults_of
from rewardlab.models.deferred import Deferred
from rewardlab.models.protocol import Generator, Served
from rewardlab.models.replay import Replay
from rewardlab.store.folder import RunFolder
from rewardlab.store.identity import Identity, make_identity, run_id
from rewardlab.store.manifest import make_manifest
from rewardlab.verdict import Judgment, Status


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run goes.

    Attributes:
        seed: Seed of the sample, the display orders and the draws of statistics.
        protocol: Whose rules it follows.
        limit: Examples to judge; None for all.
        repeats: How often each presentation is judged.
        concurrency: Judgments in flight.
        timeout: Seconds for one judgment; None for no limit.
        devices: Processes on this machine that share the judgments, each with a model of its own.
    """

    seed: int
    protocol: Protocol = Protocol.AUDITED
    limit: int | None = None
    repeats: int = 1
    concurrency: int = 8
    timeout: float | None = None
    devices: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        folder: Where it is.
        metrics: Content of metrics.json.
        manifest: Content of manifest.json.
        judged_now: Judgments made in this session; the others were there already.
    """

    folder: Path
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any]
    judged_now: int

    @property
    def no_verdict_share(self) -> float:
        """Share of judgments without a verdict."""
        answered = int(self.manifest["status"].get(Status.OK.value, 0))
        return 1.0 - answered / max(1, int(self.manifest["judgments"]))


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run whose folder and plan are known, before anything is judged in this session.

    Attributes:
        home: Its folder.
        plan: Everything that it judges.
        settings: How it goes.
        benchmark: What is judged.
        judge: Who judges.
        generator: The model behind the judge; None for a judge without one.
        model: What the model says it is.
        loop: The event loop that judgments run on.
        started: When this session began, of the monotonic clock.
    """

    home: RunFolder
    plan: Sequence[Presentation]
    settings: Settings
    benchmark: Benchmark
    judge: Judge
    generator: Generator | None
    model: Mapping[str, str]
    loop: LoopThread
    started: float


def open_run(
    loop: LoopThread,
    benchmark: Benchmark,
    judge: Judge,
    generator: Generator | None,
    settings: Settings,
    config: Mapping[str, Any],
    parent: Path,
    folder: Path | None = None,
) -> OpenRun:
    """Find or make the folder of a run, and plan it.

    Args:
        loop: The event loop that judgments run on; the caller closes it and the generator.
        benchmark: The benchmark.
        judge: The judge.
        generator: The model behind the judge; None for a judge without one.
        settings: How the run goes.
        config: The part of the configuration that decides verdicts, for the identity.
        parent: Folder of the experiment; the run gets a folder of its own in it, named by its identity.
        folder: The run's folder, where it is to have another one.

    Raises:
        UserError: When the run cannot start, or `folder` holds another run; nothing of an earlier run is changed.
    """
    started = time.monotonic()
    parts = {
        "config": config,
        "seed": settings.seed,
        "protocol": settings.protocol.value,
        "limit": settings.limit,
        "repeats": settings.repeats,
        "data": benchmark.identity(),
        "judge": judge.identity(),
    }
    plan = make_plan(benchmark, judge, settings.protocol, settings.seed, settings.limit, settings.repeats)
    name = f"{benchmark.name}-{judge.name}"
    model: Mapping[str, str] = {}
    if generator is not None:
        places = [folder] if folder else sorted(parent.glob(f"{name}-*"))
        known = _model_of_finished(places, generator, make_identity(parts), plan)
        model = loop.run(generator.identity()) if known is None else known
    identity = make_identity({**parts, "model": model})
    home = RunFolder(folder or parent / f"{name}-{run_id(identity)}", identity)
    return OpenRun(home, plan, settings, benchmark, judge, generator, model, loop, started)


def evaluate(
    loop: LoopThread,
    benchmark: Benchmark,
    judge: Judge,
    generator: Generator | None,
    settings: Settings,
    config: Mapping[str, Any],
    parent: Path,
    folder: Path | None = None,
) -> Run:
    """Run a judge over a benchmark: judge what is left, grade it, and write what came of it. Arguments: see `open_run`.

    Raises:
        UserError: As `open_run`; also when a row or a file cannot be written, or the run is asked to stop. What is
            committed stays.
    """
    return complete(open_run(loop, benchmark, judge, generator, settings, config, parent, folder))


def complete(run: OpenRun) -> Run:
    """Judge what is left of a run, grade it, and write what came of it. Raises as `evaluate`."""
    home, settings, benchmark, judge = run.home, run.settings, run.benchmark, run.judge
    judged = judge_rows(run)
    rows = home.collect(_planned(run.plan))
    grades, content = metrics(benchmark, rows.judgments, settings.seed)
    details: dict[str, Any] = {"benchmark": benchmark.name, "judge": judge.name, "setting": judge.setting.value}
    details["model"] = dict(run.model)
    if isinstance(run.generator, Deferred):
        details["model_files"] = run.generator.fingerprint()
    if rows.servers:
        details["servers"] = rows.servers
    if settings.protocol is Protocol.RELEASED:
        details["faults"] = faults_of(benchmark.name)
    content["judge"] = judge.name
    if not judged and home.says(content):
        return Run(home.path, content, home.manifest(), judged)
    seconds = time.monotonic() - run.started
    manifest = make_manifest(home.identity, rows.judgments, rows.superseded, rows.span, seconds, details)
    gold = benchmark.gold()
    with home.rows() as store:
        store.keep_gold({task: gold[task] for task in sorted({presentation.task.id for presentation in run.plan})})
    home.finish(rows.judgments, [item._asdict() for item in grades.items], content, manifest)
    return Run(home.path, content, manifest, judged)


def _planned(plan: Sequence[Presentation]) -> Callable[[Judgment], bool]:
    """Whether a row is of the plan. A plan repeats each presentation equally often, so their repeats need no list."""
    shown = {(p.task.id, tuple(c.id for c in p.task.candidates)) for p in plan}
    repeats = 1 + max((p.repeat for p in plan), default=-1)
    return lambda judgment: judgment.repeat < repeats and (judgment.task_id, judgment.order) in shown


def judge_rows(run: OpenRun) -> int:
    """Judge what of the plan has no final row, under Lightning's Trainer.

    Args:
        run: The run; of its plan only what is to be judged now.

    With several devices every process judges its share and writes its own store; the first one goes on to grade, the
    others end here.

    Returns:
        How many judgments were made.
    """
    home, settings = run.home, run.settings
    finished = home.finished_keys()
    remaining = [p for p in run.plan if p.key not in finished] if finished else run.plan
    if not remaining:
        return 0
    from rewardlab.evaluation.module import JudgeModule, rank, trainer

    progress = Progress(len(run.plan), len(run.plan) - len(remaining), run.judge.name, shown=rank() == 0)
    before = _servers(run.generator)
    with home.rows(rank()) as rows:
        dispatcher = Dispatcher(run.loop, run.judge, rows, settings.concurrency, settings.timeout, progress)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
                module = JudgeModule(dispatcher, remaining, batch_size=settings.concurrency)
                trainer(settings.devices).test(module, verbose=False)
        finally:
            dispatcher.cancel()
            progress.close()
        if now := _servers(run.generator):
            rows.add_servers({u: {k: n - before.get(u, {}).get(k, 0) for k, n in now[u].items()} for u in now})
    if rank() > 0:
        sys.exit(0)
    if dispatcher.stopped:
        finished = home.finished_keys()
        raise Stopped(sum(presentation.key in finished for presentation in run.plan), len(run.plan))
    if isinstance(run.generator, Replay):
        run.generator.check()
    return len(remaining)


def _servers(generator: Generator | None) -> Mapping[str, Mapping[str, int]]:
    return generator.counts if isinstance(generator, Served) else {}


def _model_of_finished(
    places: Sequence[Path], generator: Generator, rest: Identity, plan: Sequence[Presentation]
) -> Mapping[str, str] | None:
    """The model of a finished run that agrees in everything else, if the files it is loaded from are still the same."""
    files = generator.fingerprint() if isinstance(generator, Deferred) else None
    for place in places if files is not None else ():
        file = place / "manifest.json"
        manifest = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if manifest.get("model_files") != files:
            continue
        identity: Identity = manifest["identity"]
        if {name: value for name, value in identity.items() if not name.startswith("model.")} != rest:
            continue
        if {presentation.key for presentation in plan} <= RunFolder(place, identity).finished_keys():
            model: Mapping[str, str] = manifest["model"]
            return model
    return None
