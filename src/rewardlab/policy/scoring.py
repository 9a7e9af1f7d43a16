"""From rollouts to advantages: every group is scored, failures are masked and counted, and the cost is added up.

A group is scored within a time limit; one that takes longer has no rewards, as when a judge fails. Groups in which
nothing can be learned say why, and stay in the counts.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from transformers import PreTrainedTokenizerFast

from rewardlab.errors import ModelError
from rewardlab.policy.advantage import by_token, group_advantages
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Segment
from rewardlab.policy.rollouts import Sampled, offsets
from rewardlab.verdict import Status


class Scored(NamedTuple):
    """One group with its rewards.

    Attributes:
        prompt: What was asked.
        sampled: The rollouts.
        rewards: Of each.
        advantages: Of each token of each rollout; zeros where a rollout is masked or the group is skipped.
        skipped: Why the group teaches nothing, else "".
    """

    prompt: Prompt
    sampled: Sequence[Sampled]
    rewards: Sequence[Reward]
    advantages: Sequence[Sequence[float]]
    skipped: str


class Scorer:
    """Scores groups with one method.

    Args:
        method: The method.
        tokenizer: Of the policy.
        timeout: Seconds for one group.

    Attributes:
        counts: What was scored and what it cost: rollouts, groups, masked rollouts by status ("masked/timeout"),
            skipped groups by reason ("skipped/no reward"), judge_calls, judge_prompt_tokens, judge_completion_tokens
            and executions.
    """

    def __init__(self, method: RewardMethod, tokenizer: PreTrainedTokenizerFast, timeout: float) -> None:
        self.counts: Counter[str] = Counter()
        self._method = method
        self._tokenizer = tokenizer
        self._timeout = timeout

    async def score(self, groups: Sequence[tuple[Prompt, Sequence[Sampled]]]) -> list[Scored]:
        """Score groups, all at the same time."""
        rewards = await asyncio.gather(*(self._rewards(prompt, sampled) for prompt, sampled in groups))
        return [self._scored(prompt, sampled, of) for (prompt, sampled), of in zip(groups, rewards, strict=True)]

    def state_dict(self) -> Mapping[str, Any]:
        """The counts so far."""
        return dict(self.counts)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self.counts = Counter(state)

    async def _rewards(self, prompt: Prompt, sampled: Sequence[Sampled]) -> Sequence[Reward]:
        try:
            scoring = self._method.score_group(prompt, [one.rollout for one in sampled])
            return await asyncio.wait_for(scoring, self._timeout)
        except TimeoutError:
            note = f"no rewards within {self._timeout} s"
            return [Reward(None, Status.TIMEOUT, note=note)] * len(sampled)
        except ModelError as error:
            failed = Reward(None, error.status, usage=error.usage, note=str(error))
            return [failed, *[Reward(None, error.status, note=str(error))] * (len(sampled) - 1)]

    def _scored(self, prompt: Prompt, sampled: Sequence[Sampled], rewards: Sequence[Reward]) -> Scored:
        found = group_advantages([one.rollout for one in sampled], rewards, self._method.advantage)
        advantages = [self._by_token(one, of) for one, of in zip(sampled, found.segments, strict=True)]
        self._count(rewards, found.skipped)
        return Scored(prompt, sampled, rewards, advantages, found.skipped)

    def _by_token(self, sampled: Sampled, segments: Sequence[Segment]) -> list[float]:
        if not segments:
            return [0.0] * len(sampled.tokens)
        if len(segments) == 1 and (segments[0].start, segments[0].end) == (0, len(sampled.rollout.text)):
            return [segments[0].advantage] * len(sampled.tokens)  # an empty text has one too, that of its end
        return by_token(segments, offsets(self._tokenizer, sampled))

    def _count(self, rewards: Sequence[Reward], skipped: str) -> None:
        self.counts["groups"] += 1
        if skipped:
            self.counts[f"skipped/{skipped}"] += 1
        for reward in rewards:
            self.counts["rollouts"] += 1
            if reward.value is None:
                self.counts[f"masked/{reward.status.value}"] += 1
            self.counts["judge_calls"] += reward.usage.calls
            self.counts["judge_prompt_tokens"] += reward.usage.prompt_tokens
            self.counts["judge_completion_tokens"] += reward.usage.completion_tokens
            self.counts["executions"] += reward.executions
