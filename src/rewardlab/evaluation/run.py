"""One run: a judge over a benchmark, from identity to manifest.

The run's folder is named by its identity. A folder that is there already is the same run, so only what has no final
row is judged; a folder of another run is refused. Rows are committed one by one, so a run that was killed goes on where
it was, and its metrics are those of an unbroken run.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
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
from rewardlab.models.protocol import Generator
from rewardlab.store.folder import RunFolder
from rewardlab.store.identity import make_identity, run_id
from rewardlab.store.manifest import make_manifest
from rewardlab.verdict import Status


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
        devices: Processes that share the judgments, each with a model of its own.
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
    """Run a judge over a benchmark.

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
    model = loop.run(generator.identity()) if generator else {}
    identity = make_identity(
        {
            "config": config,
            "seed": settings.seed,
            "protocol": settings.protocol.value,
            "limit": settings.limit,
            "repeats": settings.repeats,
            "data": benchmark.identity(),
            "judge": judge.identity(),
            "model": model,
        }
    )
    home = RunFolder(folder or parent / f"{benchmark.name}-{judge.name}-{run_id(identity)}", identity)
    plan = make_plan(benchmark, judge, settings.protocol, settings.seed, settings.limit, settings.repeats)
    judged = _judge(loop, judge, home, plan, settings)
    rows = home.collect()
    planned = {presentation.key for presentation in plan}
    judgments = [j for j in rows.judgments if j.key in planned]
    grades, content = metrics(benchmark, judgments, settings.seed)
    details: dict[str, Any] = {"benchmark": benchmark.name, "judge": judge.name, "setting": judge.setting.value}
    details["model"] = dict(model)
    if settings.protocol is Protocol.RELEASED:
        details["faults"] = faults_of(benchmark.name)
    content["judge"] = judge.name
    if not judged and home.says(content):
        return Run(home.path, content, home.manifest(), judged)
    manifest = make_manifest(identity, judgments, rows.superseded, rows.span, time.monotonic() - started, details)
    gold = benchmark.gold()
    with home.rows() as store:
        store.keep_gold({judgment.task_id: gold[judgment.task_id] for judgment in judgments})
    home.finish(judgments, [item._asdict() for item in grades.items], content, manifest)
    return Run(home.path, content, manifest, judged)


def _judge(loop: LoopThread, judge: Judge, home: RunFolder, plan: Sequence[Presentation], settings: Settings) -> int:
    """Judge what has no final row, under Lightning's Trainer. Returns how many judgments were made.

    With several devices every process judges its share and writes its own store; the first one goes on to grade, the
    others end here.
    """
    finished = home.finished_keys()
    remaining = [presentation for presentation in plan if presentation.key not in finished]
    if not remaining:
        return 0
    from rewardlab.evaluation.module import JudgeModule, rank, trainer

    progress = Progress(len(plan), len(plan) - len(remaining), judge.name, shown=rank() == 0)
    with home.rows(rank()) as rows:
        dispatcher = Dispatcher(loop, judge, rows, settings.concurrency, settings.timeout, progress)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
                module = JudgeModule(dispatcher, remaining, batch_size=settings.concurrency)
                trainer(settings.devices).test(module, verbose=False)
        finally:
            dispatcher.cancel()
            progress.close()
    if rank() > 0:
        sys.exit(0)
    if dispatcher.stopped:
        raise Stopped(len(home.finished_keys()), len(plan))
    return len(remaining)
