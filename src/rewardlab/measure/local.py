"""What prefix reuse and batching are worth to a judge on this machine's own model.

The same rows are judged by the embedded model in several ways, one after another: RM-Bench's shape, nine pairs of one
prompt in both orders, read as log-probabilities of the labels. Every way must give the same verdicts; a difference is
an error and no ratio comes of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.errors import RewardLabError
from rewardlab.evaluation.plan import Presentation, Protocol, make_plan
from rewardlab.judges.direct import Direct
from rewardlab.measure.ratio import Ratio
from rewardlab.models.embedded import embedded_generator
from rewardlab.task import Message
from rewardlab.verdict import Verdict

REUSE = 2**31  # bytes


class Way(NamedTuple):
    """How the model is run."""

    concurrency: int
    prefix_cache_bytes: int


class Timed(NamedTuple):
    """One way's verdicts, what they read, and how long it took."""

    verdicts: tuple[Verdict, ...]
    tokens: int
    reused: int
    seconds: float


class DifferentVerdicts(RewardLabError):
    """Two ways of running one model gave different verdicts."""


class LocalJudging:
    """Judgments and prompt tokens a second.

    Args:
        prompts: Prompts, with 18 judgments each.
        concurrency: Judgments in flight where they are batched.
        at_least: What reuse and batching together must be worth.
    """

    def __init__(self, prompts: int, concurrency: int, at_least: float) -> None:
        self._prompts = prompts
        self._concurrency = concurrency
        self._at_least = at_least

    def measure(self) -> Sequence[Ratio]:
        """Reuse and batching together against neither, and each alone.

        Raises:
            MissingRequirement: When the embedded model is not installed.
            DifferentVerdicts: When two ways disagree.
        """
        benchmark = Verifiable(form="pair", matrix=True, per_family=1)
        ways = {
            "one by one": Way(1, 0),
            "batched": Way(self._concurrency, 0),
            "reuse": Way(1, REUSE),
            "reuse, batched": Way(self._concurrency, REUSE),
        }
        found = {name: asyncio.run(_judged(benchmark, self._prompts, way)) for name, way in ways.items()}
        plain = found.pop("one by one")
        for name, timed in found.items():
            if [v.choice for v in timed.verdicts] != [v.choice for v in plain.verdicts]:
                raise DifferentVerdicts(f"{name} and one by one chose different candidates on the same rows")
        together = found.pop("reuse, batched")
        tokens = (together.tokens / together.seconds, plain.tokens / plain.seconds)
        return [
            _ratio("judgments/s, reuse, batched", together, plain, self._at_least),
            Ratio("prompt tokens/s, reuse, batched", tokens[0], "one by one", tokens[1], "1/s"),
            *(_ratio(f"judgments/s, {name}", timed, plain) for name, timed in found.items()),
        ]


def _ratio(what: str, timed: Timed, plain: Timed, at_least: float | None = None) -> Ratio:
    raw = {
        "judgments": len(timed.verdicts),
        "tokens": timed.tokens,
        "reused": timed.reused,
        "seconds": [round(timed.seconds, 3), round(plain.seconds, 3)],
        "largest_difference": _largest_difference(timed.verdicts, plain.verdicts),
    }
    rates = (len(t.verdicts) / t.seconds for t in (timed, plain))
    return Ratio(what, next(rates), "one by one", next(rates), "1/s", at_least, raw=raw)


async def _judged(benchmark: Verifiable, prompts: int, way: Way) -> Timed:
    generator = embedded_generator(concurrency=way.concurrency, prefix_cache_bytes=way.prefix_cache_bytes)
    slots = asyncio.Semaphore(way.concurrency)
    judge = Direct(generator, read="labels")

    async def verdict(presentation: Presentation) -> Verdict:
        async with slots:
            return await judge.judge(presentation.task)

    try:
        plan = make_plan(benchmark, judge, Protocol.AUDITED, seed=0, limit=prompts, repeats=1)
        await generator.score([Message("user", "Hello")], ["A"])  # the first pass of a process is slower
        started = time.perf_counter()
        verdicts = await asyncio.gather(*map(verdict, plan))
        seconds = time.perf_counter() - started
    finally:
        await generator.aclose()
    usage = [v.usage for v in verdicts]
    return Timed(tuple(verdicts), sum(u.prompt_tokens for u in usage), sum(u.cached_tokens for u in usage), seconds)


def _largest_difference(a: Sequence[Verdict], b: Sequence[Verdict]) -> float:
    """Between the probabilities of a label in two ways."""
    return max(abs(x.scores[c] - y.scores[c]) for x, y in zip(a, b, strict=True) for c in x.scores)
