"""Noise on the rewards of another method: how much of what it teaches survives a judge that errs, or fails.

Whether an answer's reward is disturbed is drawn from the prompt and the text, so equal answers meet equal errors and a
resumed run meets the same ones. State, needs and preparation are those of the method inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from rewardlab.errors import UnknownName, UserError
from rewardlab.models.protocol import Generator
from rewardlab.policy.reward import Advantage, Prompt, Reward, RewardMethod, Rollout
from rewardlab.randomness import stream
from rewardlab.verdict import Status

Kind = Literal["flip", "gaussian", "fail"]
KINDS = ("flip", "gaussian", "fail")


class Noisy(RewardMethod):
    """Disturbs rewards.

    Args:
        method: Whose.
        rate: Share of the answers whose reward is disturbed.
        kind: "flip" makes r to 1 - r, for rewards in [0, 1]; "gaussian" adds a normal number; "fail" takes the reward
            away, as a judge that could not be reached.
        scale: Standard deviation of "gaussian".
        seed: Of the errors.

    Raises:
        UserError: When advantages are precomputed, which noise on rewards would not touch.
    """

    def __init__(
        self, method: RewardMethod, rate: float, kind: Kind = "flip", scale: float = 0.25, seed: int = 0
    ) -> None:
        if kind not in KINDS:
            raise UnknownName("kind of noise", kind, KINDS)
        if method.advantage is Advantage.PRECOMPUTED and kind != "fail":
            raise UserError(f"the reward {method.name} gives advantages itself, which noise on rewards does not touch")
        self.name = f"{method.name}~{kind}{rate:g}"
        self.needs = method.needs  # type: ignore[misc]
        self.advantage = method.advantage  # type: ignore[misc]
        self._method, self._rate, self._kind, self._scale, self._seed = method, rate, kind, scale, seed

    def identity(self) -> Mapping[str, str]:
        """Of the method."""
        return self._method.identity()

    def lacks(self, prompt: Prompt) -> str:
        """What the method lacks."""
        return self._method.lacks(prompt)

    async def prepare(self, prompts: Sequence[Prompt], policy: Generator | None) -> Sequence[Prompt]:
        """The method's preparation."""
        return await self._method.prepare(prompts, policy)

    async def fit(self, artifacts: Path) -> None:
        """The method learns."""
        await self._method.fit(artifacts)

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        """The method's reward, disturbed or not."""
        return self._disturbed(prompt, rollout, await self._method.score(prompt, rollout))

    async def score_group(self, prompt: Prompt, rollouts: Sequence[Rollout]) -> Sequence[Reward]:
        """The method's rewards of a group, each disturbed or not."""
        rewards = await self._method.score_group(prompt, rollouts)
        return [self._disturbed(prompt, *pair) for pair in zip(rollouts, rewards, strict=True)]

    def end_epoch(self) -> None:
        """The method hears of it."""
        self._method.end_epoch()

    def state_dict(self) -> Mapping[str, Any]:
        """The method's."""
        return self._method.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The method's."""
        self._method.load_state_dict(state)

    def _disturbed(self, prompt: Prompt, rollout: Rollout, reward: Reward) -> Reward:
        rng = stream(self._seed, "noise", prompt.id, rollout.text)
        if reward.value is None or rng.random() >= self._rate:
            return reward
        if self._kind == "fail":
            return replace(reward, value=None, status=Status.ENDPOINT_ERROR, segments=(), note="made to fail")
        if self._kind == "flip":
            return replace(reward, value=1.0 - reward.value)
        return replace(reward, value=reward.value + self._scale * float(rng.standard_normal()))
