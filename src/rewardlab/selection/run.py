"""One selection run: a judge over the candidates of a benchmark, from identity to manifest.

Judgments are made on demand. Each round plays every method on every pool as far as the rows go, and hands what is
missing to the dispatcher; a match that has a final row is never judged again. A run that was killed goes on where it
was, and a match that failed for a passing reason is asked once more, which may lead a knockout another way. Rows that
no rule asks for in the end stay in rows.sqlite, are counted as cost, and take no part in the metrics.

Which methods are asked for is no part of the identity, because no row depends on it: naming another one adds its rows
to the same run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.errors import UnknownName, UserError
from rewardlab.evaluation.dispatcher import Dispatcher
from rewardlab.evaluation.loop import LoopThread
from rewardlab.evaluation.plan import Protocol
from rewardlab.evaluation.progress import Progress
from rewardlab.evaluation.run import Run
from rewardlab.evaluation.summary import summarise
from rewardlab.judges.protocol import Judge
from rewardlab.models.protocol import Generator
from rewardlab.models.replay import Replay
from rewardlab.selection.arms import METHODS, Rows, Rules, find_arms, play_method
from rewardlab.selection.pool import Pools, load_pools
from rewardlab.selection.recorded import Recorded
from rewardlab.selection.summary import items, selections
from rewardlab.store.folder import RunFolder
from rewardlab.store.identity import make_identity, run_id
from rewardlab.store.manifest import make_manifest
from rewardlab.store.rows import RowStore
from rewardlab.task import Contract
from rewardlab.verdict import Judgment

FORMULA = "mean over prompts of the quality of the selected candidate, nothing for an undecided prompt"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run goes.

    Attributes:
        seed: Of the sample, the knockout's order and coins, and the draws of statistics.
        protocol: Whose rules it follows.
        methods: Names of `METHODS`.
        limit: Prompts; None for all.
        concurrency: Judgments in flight.
        timeout: Seconds for one judgment; None for no limit.
    """

    seed: int
    protocol: Protocol = Protocol.AUDITED
    methods: tuple[str, ...] = ("rate", "knockout")
    limit: int | None = None
    concurrency: int = 8
    timeout: float | None = None


def select(
    loop: LoopThread,
    benchmark: Benchmark,
    judge: Judge,
    generator: Generator | None,
    settings: Settings,
    config: Mapping[str, Any],
    parent: Path,
) -> Run:
    """Select with a judge from every pool of a benchmark.

    Args:
        loop: The event loop that judgments run on; the caller closes it and the generator.
        benchmark: One whose tasks have the form PICK.
        judge: The judge.
        generator: The model behind the judge; None for a judge without one.
        settings: How the run goes.
        config: The part of the configuration that decides verdicts, for the identity.
        parent: Folder of the experiment; the run gets a folder of its own in it.

    Raises:
        UserError: When the run cannot start; nothing of an earlier run is changed.
    """
    started = time.monotonic()
    _refuse_unfit(judge, settings.methods)
    pools = load_pools(benchmark, judge.setting, settings.seed, settings.limit)
    rules = Rules(settings.protocol, settings.seed, benchmark.name, logistic if isinstance(judge, Recorded) else rating)
    model = loop.run(generator.identity()) if generator else {}
    identity = make_identity(
        {
            "config": config,
            "seed": settings.seed,
            "protocol": settings.protocol.value,
            "limit": settings.limit,
            "data": {**benchmark.identity(), "mode": "selection"},
            "judge": judge.identity(),
            "model": model,
        }
    )
    folder = RunFolder(parent / f"{benchmark.name}-{judge.name}-{run_id(identity)}", identity)
    with folder.rows() as store:
        judged = _judge(loop, judge, store, pools, rules, settings)
        if isinstance(generator, Replay):
            generator.check()
        rows = {judgment.key: judgment for judgment in store.judgments()}
        superseded, span = store.failed_attempts()[1], store.span()
    details = {"benchmark": benchmark.name, "judge": judge.name, "setting": judge.setting.value, "model": dict(model)}
    content, grades, used = metrics(pools, rules, rows, judge.name)
    unused = sum((j.verdict.usage for key, j in sorted(rows.items()) if key not in used), superseded)
    judgments = [rows[key] for key in sorted(used)]
    manifest = make_manifest(identity, judgments, unused, span, time.monotonic() - started, details)
    folder.finish(judgments, grades, content, manifest)
    return Run(folder.path, content, manifest, judged)


def metrics(
    pools: Pools, rules: Rules, rows: Rows, judge: str
) -> tuple[dict[str, Any], list[dict[str, Any]], frozenset[str]]:
    """Score rows: no judge is asked.

    Args:
        pools: What was selected from.
        rules: Whose rules.
        rows: Judgments by key; arms whose rows are incomplete are left out.
        judge: Name of the judge.

    Returns:
        Content of metrics.json, the item grades, and the keys of the rows that count.
    """
    arms = find_arms(pools, rules, rows)
    used = frozenset().union(*(arm.keys for arm in arms))
    grades = items(pools, arms)
    found = selections(pools, arms, rules, rows)
    # There is no one headline: each arm is a way of selecting, and tables show them side by side.
    strict = {"selected": None} | {figures["name"]: figures["selected"]["point"] for figures in found}
    content = {
        "benchmark": rules.benchmark,
        "judge": judge,
        "protocol": rules.protocol.value,
        "headline": "selected",
        "formula": FORMULA,
        "official": {"selected": None},
        "strict": strict,
        "no_verdict_items": sum(grade.strict is None for grade in grades),
        "prompts": len(pools.pools),
        "left_out": pools.left_out,
        "candidates": pools.size,
        "first": pools.first,
        "selections": found,
        "summary": summarise([rows[key] for key in sorted(used)]),
    }
    return content, [grade._asdict() for grade in grades], used


def rating(score: float) -> float | None:
    """Weight of a vote by a judge's rating: 0 at the lowest of the scale, 1 at the highest, None off the scale."""
    low, high = Contract().scale
    return (score - low) / (high - low) if low <= score <= high else None


def logistic(score: float) -> float:
    """Weight of a vote by a reward model's score, which has no scale: the Bradley-Terry chance to beat a score of 0.

    >>> logistic(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-score)) if score > -700 else 0.0


def _refuse_unfit(judge: Judge, methods: tuple[str, ...]) -> None:
    for method in methods:
        if method not in METHODS:
            raise UnknownName("selection method", method, METHODS)
        if METHODS[method] not in judge.forms:
            able = ", ".join(sorted(form.value for form in judge.forms))
            raise UserError(
                f"method {method} shows tasks of the form {METHODS[method].value}; {judge.name} answers {able}"
            )
    if not methods:
        raise UserError(f"methods=[] selects nothing; name some of {', '.join(METHODS)}")


def _judge(loop: LoopThread, judge: Judge, store: RowStore, pools: Pools, rules: Rules, settings: Settings) -> int:
    """Judge, round by round, until no method misses a row. Returns how many judgments were made."""
    rows = {j.key: j for j in store.judgments() if j.verdict.status.final}
    open_plays = [(pool, method) for pool in pools.pools for method in settings.methods]
    judged = round_number = 0
    while True:
        wanted, still_open = {}, []
        for pool, method in open_plays:
            missing = play_method(method, pool, rules, rows).missing
            wanted.update({pool.key(shown): pool.presented(shown) for shown in missing})
            still_open += [(pool, method)] if missing else []
        if not wanted:
            return judged
        open_plays, round_number, judged = still_open, round_number + 1, judged + len(wanted)
        progress = Progress(len(wanted), 0, f"{judge.name}, round {round_number}")

        def keep(judgment: Judgment, progress: Progress = progress) -> None:
            rows[judgment.key] = judgment
            progress(judgment)

        dispatcher = Dispatcher(loop, judge, store, settings.concurrency, settings.timeout, keep)
        try:
            dispatcher.submit(wanted.values())
            dispatcher.drain()
        finally:
            dispatcher.cancel()
            progress.close()
