"""The same reward for every rollout: no group has any spread, so the policy stays what it was before training.

As an arm it is the row that the others start from; that its weights do not move shows that nothing but the reward
moves them.
"""

from __future__ import annotations

from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout


class Constant(RewardMethod):
    """Gives every rollout the same.

    Args:
        value: The reward.
    """

    name = "constant"

    def __init__(self, value: float = 0.0) -> None:
        self._value = value

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        """The constant."""
        return Reward(self._value)
