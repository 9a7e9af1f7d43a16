"""From arms to metrics: intervals, paired differences to the references, gap closed, bounds and cost.

The unit is the prompt. Every judge's arm and the majority vote are compared with a random candidate and, where the data
have one, with the first: paired difference and test, which a table corrects over all the judges that it holds.
`gap_closed` is (selected - random) / (oracle - random) and `helpfulness` the same from the first candidate, JETTS's
normalised helpfulness where that is the greedy response (Zhou et al., arXiv 2504.15253); both are ratios of means over
prompts with a paired bootstrap interval, and undefined where the oracle is no better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rewardlab.benchmarks.protocol import ItemGrade
from rewardlab.randomness import stream
from rewardlab.selection.arms import Arm, Rows, Rules
from rewardlab.selection.pool import Pools
from rewardlab.stats import Interval, paired_difference, paired_test, share_interval
from rewardlab.stats.bootstrap import DRAWS, totals_bootstrap
from rewardlab.stats.estimates import FloatArray
from rewardlab.verdict import Usage

BASELINES = ("random", "pass@1")
RATIOS = {"random": "gap_closed", "pass@1": "helpfulness"}


def selections(pools: Pools, arms: Sequence[Arm], rules: Rules, rows: Rows) -> list[dict[str, Any]]:
    """JSON-like figures of every arm, in their order.

    Args:
        pools: What was selected from.
        arms: Of `find_arms`.
        rules: For the seed.
        rows: Judgments by key, for costs.
    """
    by_name = {arm.name: arm for arm in arms}
    return [
        {
            "name": arm.name,
            "judged": arm.judged,
            "selected": share_interval(
                arm.credits, stream(rules.seed, rules.benchmark, arm.name, "interval")
            )._asdict(),
            "curve": {str(size): value for size, value in arm.curve().items()},
            **_compared(arm, by_name, rules),
            **_undecided(arm),
            "drawn": arm.drawn,
            "by_group": _by_group(pools, arm),
            "per_prompt": _cost(arm, rows),
        }
        for arm in arms
    ]


def gap_closed(
    selected: Sequence[float],
    baseline: Sequence[float],
    oracle: Sequence[float],
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
) -> Interval:
    """Share of the way from a baseline to the oracle, on means over prompts.

    Args:
        selected: Credit of each prompt, shape (n,).
        baseline: The same of the baseline.
        oracle: The same of the best candidate.
        rng: Source of the bootstrap draws.
        draws: Number of bootstrap samples.

    Returns:
        The ratio with a BCa interval over prompts; below 0 where the selection is worse than the baseline. Undefined
        where the oracle's mean is the baseline's.

    >>> gap_closed([1, 0, 1], [0.5, 0, 0.5], [1, 1, 1], np.random.default_rng(0)).point
    0.5
    """
    columns = np.stack([np.asarray(v, dtype=float) for v in (selected, baseline, oracle)], axis=1)
    ways = columns[:, 2] - columns[:, 1]
    if abs(ways.sum()) <= 1e-12 * len(ways):
        return Interval(None, None, None, len(ways), len(ways), "the oracle is no better than the baseline")

    def ratio(totals: FloatArray) -> FloatArray:
        over, way = totals[..., 0, 0] - totals[..., 0, 1], totals[..., 0, 2] - totals[..., 0, 1]
        quotient: FloatArray = np.where(way > 1e-12, over, np.nan) / np.where(way > 1e-12, way, 1.0)
        return quotient

    return totals_bootstrap(columns, np.zeros(len(columns), dtype=np.intp), ratio, rng, n=len(columns), draws=draws)


def items(pools: Pools, arms: Sequence[Arm]) -> list[ItemGrade]:
    """One grade for each prompt and each of the judge's arms; the arm is the group."""
    return [
        ItemGrade(f"{arm.name}/{pool.id}", pool.id, arm.name, of_pool.value, of_pool.value)
        for arm in arms
        if arm.judged
        for pool, of_pool in zip(pools.pools, arm.worths, strict=True)
    ]


def _compared(arm: Arm, arms: Mapping[str, Arm], rules: Rules) -> dict[str, Any]:
    """Against each reference that there is; a reference is not compared with itself, and the oracle wins by rule."""
    found: dict[str, Any] = {}
    for baseline in BASELINES:
        if baseline not in arms or arm.name == baseline or arm.name == "oracle":
            continue
        credits, theirs = arm.credits, arms[baseline].credits
        names = (rules.benchmark, arm.name, baseline)
        difference = paired_difference(credits, theirs, stream(rules.seed, *names, "difference"))
        test = paired_test(credits, theirs, stream(rules.seed, *names, "test"))
        found[f"minus_{baseline}"] = difference._asdict() | {"p": test.p, "test": test.method}
        ratio = gap_closed(credits, theirs, arms["oracle"].credits, stream(rules.seed, *names, "ratio"))
        found[RATIOS[baseline]] = ratio._asdict()
    return found


def _undecided(arm: Arm) -> dict[str, Any]:
    """How many prompts are undecided, and what the arm is worth without them and at their worst and best."""
    decided = [w.value for w in arm.worths if w.value is not None]
    n = len(arm.worths)
    return {
        "undecided": n - len(decided),
        "excluded": math.fsum(decided) / len(decided) if decided else None,
        "worst": math.fsum(w.worst for w in arm.worths) / n,
        "best": math.fsum(w.best for w in arm.worths) / n,
    }


def _by_group(pools: Pools, arm: Arm) -> dict[str, float]:
    credits: dict[str, list[float]] = {}
    for pool, credit in zip(pools.pools, arm.credits, strict=True):
        credits.setdefault(pool.group, []).append(credit)
    return {group: math.fsum(values) / len(values) for group, values in sorted(credits.items())}


def _cost(arm: Arm, rows: Rows) -> dict[str, float]:
    """Judgments, calls and tokens of the rows that an arm rests on, by prompt."""
    usage, n = sum((rows[key].verdict.usage for key in sorted(arm.keys)), Usage()), len(arm.worths)
    return {
        "judgments": len(arm.keys) / n,
        "calls": usage.calls / n,
        "prompt_tokens": usage.prompt_tokens / n,
        "completion_tokens": usage.completion_tokens / n,
    }
