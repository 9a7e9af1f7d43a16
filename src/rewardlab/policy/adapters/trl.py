"""Our rewards in TRL's `GRPOTrainer`: its dataset, and a function for `reward_funcs`.

    prompts = prompts_of(benchmark)
    GRPOTrainer(model, reward_funcs=TrlReward(method, prompts), train_dataset=dataset(prompts), ...)

TRL's dataset has the policy's messages and the prompt's id; what the prompt's resources say stays with the reward. A
rollout without a reward is None, which TRL leaves out of its group's baseline. TRL computes advantages itself
(`scale_rewards="group"` for GROUP_STD, "none" for GROUP_MEAN), so methods that precompute them are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rewardlab.errors import UserError
from rewardlab.policy.reward import Advantage, Prompt, RewardMethod, Rollout, check_hidden, check_needs

if TYPE_CHECKING:
    import datasets

ID = "prompt_id"


def dataset(prompts: Sequence[Prompt]) -> datasets.Dataset:
    """TRL's training data: the conversation, and the prompt's id."""
    import datasets

    rows = [
        {"prompt": [{"role": m.role, "content": m.content} for m in prompt.messages], ID: prompt.id}
        for prompt in prompts
    ]
    return datasets.Dataset.from_list(rows)


class TrlReward:
    """An asynchronous reward function.

    Args:
        method: What scores rollouts.
        prompts: All prompts of the dataset.
        timeout: Seconds for one group; one that takes longer has no rewards.

    Raises:
        UserError: When the method cannot score the prompts, or precomputes advantages.
    """

    def __init__(self, method: RewardMethod, prompts: Sequence[Prompt], timeout: float = 600.0) -> None:
        if method.advantage is Advantage.PRECOMPUTED:
            raise UserError(f"the reward {method.name} gives advantages by segment, and TRL computes them itself")
        check_needs(method, prompts)
        check_hidden(prompts, prompts)
        self.__name__ = method.name  # TRL names its metrics by it
        self._method, self._timeout = method, timeout
        self._prompts = {prompt.id: prompt for prompt in prompts}

    async def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """Rewards of rollouts; those of one prompt stand side by side."""
        texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
        groups: list[tuple[str, list[str]]] = []
        for name, text in zip(columns[ID], texts, strict=True):
            if not groups or groups[-1][0] != name:
                groups.append((name, []))
            groups[-1][1].append(text)
        scored = await asyncio.gather(*(self._group(name, of) for name, of in groups))
        return [value for group in scored for value in group]

    async def _group(self, name: str, texts: Sequence[str]) -> list[float | None]:
        scoring = self._method.score_group(self._prompts[name], [Rollout(text) for text in texts])
        try:
            rewards = await asyncio.wait_for(scoring, self._timeout)
        except TimeoutError:
            return [None] * len(texts)
        return [reward.value for reward in rewards]
