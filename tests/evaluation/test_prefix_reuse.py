"""What judgments of a local model share is computed once, and changes no verdict."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.evaluation.plan import Presentation, Protocol, make_plan
from rewardlab.judges.direct import Direct, prompt
from rewardlab.models.local import LocalGenerator
from rewardlab.models.prefix_cache import shared_length
from rewardlab.verdict import Verdict
from tests.models.tiny_llama import save_tiny_llama


def judged(folder: Path, benchmark: Verifiable, **options: int) -> tuple[list[Presentation], list[Verdict], list[int]]:
    """The plan, its verdicts, and how much of each prompt an earlier one begins with."""

    async def run() -> tuple[list[Presentation], list[Verdict], list[int]]:
        generator = LocalGenerator(str(folder), **options)
        try:
            judge = Direct(generator, read="labels")
            plan = make_plan(benchmark, judge, Protocol.AUDITED, 0, None, 1)
            verdicts = await asyncio.gather(*(judge.judge(p.task) for p in plan))
            ids = [np.array(generator.prompt_ids(prompt(p.task, "answer_at_once"))) for p in plan]
            known = [max((shared_length(other, own) for other in ids[:i]), default=0) for i, own in enumerate(ids)]
            return plan, list(verdicts), known
        finally:
            await generator.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize("form", ["pair", "rate"])
def test_pairs_of_one_prompt_and_candidates_rated_one_after_another(tmp_path: Path, form: str) -> None:
    folder = save_tiny_llama(tmp_path)
    benchmark = Verifiable(form=form, matrix=form == "pair", per_family=1, families=["aiw"])
    plan, verdicts, known = judged(folder, benchmark, concurrency=1)
    assert len(plan) == {"pair": 18, "rate": 4}[form]
    # One after another, each takes over all that any earlier one had computed of it.
    assert [v.usage.cached_tokens for v in verdicts] == known
    assert sum(known) > sum(v.usage.prompt_tokens for v in verdicts) / 2
    _, together, _ = judged(folder, benchmark, concurrency=18)
    _, plain, _ = judged(folder, benchmark, concurrency=1, prefix_cache_bytes=0)
    assert sum(v.usage.cached_tokens for v in together) >= 0.9 * sum(known)
    for one, other, third in zip(verdicts, together, plain, strict=True):
        assert one.choice == other.choice == third.choice
        assert dict(one.scores) == pytest.approx(dict(other.scores), abs=1e-4)
        assert dict(one.scores) == pytest.approx(dict(third.scores), abs=1e-4)
