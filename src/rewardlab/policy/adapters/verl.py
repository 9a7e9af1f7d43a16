"""Our rewards in verl: its custom reward function, and an advantage that leaves failed rewards out.

    VERL_USE_EXTERNAL_MODULES=rewardlab.policy.adapters.verl python -m verl.trainer.main_ppo \\
        reward.custom_reward_function.path=.../rewardlab/policy/adapters/verl.py \\
        reward.custom_reward_function.name=compute_score \\
        +reward.custom_reward_function.reward_kwargs.configs=CONFIGS \\
        "+reward.custom_reward_function.reward_kwargs.overrides=[reward=skill,model=endpoint,...]" \\
        algorithm.adv_estimator=masked_grpo

The reward is that of configs/reward, built once in each process from the overrides of experiments/train_policy.py.
`compute_score` scores one rollout, asynchronously; `compute_scores` scores a batch and hands groupwise methods their
groups. Both give a mapping with `score` and flat facts, the same keys for every rollout.

A reward that failed is NaN, since verl has no other way to say so, and 0 would be a verdict. `masked_grpo` leaves it
out of its group's mean and deviation and gives it the advantage 0; verl's own estimators would spread the NaN.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rewardlab.evaluation.loop import LoopThread
from rewardlab.policy.advantage import group_advantages
from rewardlab.policy.reward import Advantage, Reward, RewardMethod, Rollout
from rewardlab.policy.verinstruct import prompt_of_row
from rewardlab.verdict import Decision, Status

MASKED_GRPO = "masked_grpo"


@cache
def _method(configs: str, overrides: tuple[str, ...]) -> RewardMethod:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.utils import instantiate

    around = GlobalHydra.instance().hydra  # verl's own, in its main process
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(Path(configs).absolute()), version_base="1.3"):
            method: RewardMethod = instantiate(compose("train_policy", overrides=list(overrides)).reward)
    finally:
        GlobalHydra.instance().hydra = around
    return method


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any],
    configs: str,
    overrides: Sequence[str],
    timeout: float = 300.0,
    **_: Any,
) -> dict[str, Any]:
    """The reward of one rollout.

    Args:
        data_source: Of the row.
        solution_str: What the policy answered.
        ground_truth: Of the row; what a reward may know stands in `extra_info`.
        extra_info: As `verinstruct.training_row` writes it, or the released converter.
        configs: The folder configs/ of this project.
        overrides: Which reward, as overrides of experiments/train_policy.py.
        timeout: Seconds; a reward that takes longer has failed.
    """
    method = _method(configs, tuple(overrides))
    scoring = method.score(prompt_of_row(extra_info), Rollout(solution_str))
    try:
        return facts(await asyncio.wait_for(scoring, timeout))
    except TimeoutError:
        return facts(Reward(None, Status.TIMEOUT))


def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[str],
    extra_infos: Sequence[Mapping[str, Any]],
    configs: str,
    overrides: Sequence[str],
    timeout: float = 300.0,
    **_: Any,
) -> list[dict[str, Any]]:
    """The rewards of a batch, in its order; rollouts of one sample are scored as a group. Arguments as above."""
    method = _method(configs, tuple(overrides))
    groups: dict[str, list[int]] = defaultdict(list)
    for place, info in enumerate(extra_infos):
        groups[str(info["sample_id"])].append(place)

    async def rewards(places: Sequence[int]) -> Sequence[Reward]:
        rollouts = [Rollout(solution_strs[i]) for i in places]
        try:
            scoring = method.score_group(prompt_of_row(extra_infos[places[0]]), rollouts)
            return await asyncio.wait_for(scoring, timeout)
        except TimeoutError:
            return [Reward(None, Status.TIMEOUT)] * len(places)

    async def all_rewards() -> list[Sequence[Reward]]:
        return await asyncio.gather(*(rewards(places) for places in groups.values()))

    found: dict[int, dict[str, Any]] = {}
    for places, of in zip(groups.values(), _loop().run(all_rewards()), strict=True):
        found |= dict(zip(places, map(facts, of), strict=True))
    return [found[place] for place in range(len(solution_strs))]


def facts(reward: Reward) -> dict[str, Any]:
    """A reward as verl logs it: flat, and the same keys whatever became of it."""
    decided = [entry for entry in reward.ledger if entry.supported and entry.decision is not Decision.UNSURE]
    return {
        "score": math.nan if reward.value is None else reward.value,
        "valid": float(reward.value is not None),
        "status": reward.status.value,
        "satisfied": sum(entry.decision is Decision.SATISFIED for entry in decided),
        "total": len(decided),
        "judge_calls": reward.usage.calls,
        "judge_tokens": reward.usage.prompt_tokens + reward.usage.completion_tokens,
        "judge_seconds": reward.usage.seconds,
    }


@cache
def _loop() -> LoopThread:
    return LoopThread()


def masked_advantages(
    token_level_rewards: Tensor, response_mask: Tensor, index: Sequence[Any], by_std: bool = True
) -> tuple[Tensor, Tensor]:
    """GRPO's advantages with failed rewards left out.

    Args:
        token_level_rewards: (rollouts, tokens); a rollout's reward is the sum of its row, NaN where it failed.
        response_mask: (rollouts, tokens).
        index: Which prompt each rollout belongs to.
        by_std: Divide by the group's standard deviation.

    Returns:
        Advantages and returns, both (rollouts, tokens) and the same.
    """
    scores = token_level_rewards.sum(-1)
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, name in enumerate(index):
        groups[name].append(place)
    kind = Advantage.GROUP_STD if by_std else Advantage.GROUP_MEAN
    advantages = torch.zeros_like(scores)
    for places in groups.values():
        values = [float(scores[i]) for i in places]
        rewards = [Reward(None, Status.ENDPOINT_ERROR) if math.isnan(v) else Reward(v) for v in values]
        found = group_advantages([Rollout(".")] * len(places), rewards, kind)
        for place, segments in zip(places, found.segments, strict=True):
            advantages[place] = segments[0].advantage if segments else 0.0
    spread = advantages[:, None] * response_mask
    return spread, spread


def register() -> None:
    """Make `masked_grpo` known to verl, unless it is already."""
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY, register_adv_est

    if MASKED_GRPO in ADV_ESTIMATOR_REGISTRY:  # verl also loads this file by its path, as another module
        return

    def masked_grpo(
        token_level_rewards: Tensor, response_mask: Tensor, index: Sequence[Any], config: Any = None, **_: Any
    ) -> tuple[Tensor, Tensor]:
        by_std = config is None or config.get("norm_adv_by_std_in_grpo", True)
        return masked_advantages(token_level_rewards, response_mask, index, by_std)

    register_adv_est(MASKED_GRPO)(masked_grpo)


if "verl" in sys.modules:  # verl imports this module, or an experiment has imported verl
    register()
