"""Toy versions of reward methods that come later, each with the one feature that the interface must carry.

Their formulas are those of the papers that the docstrings name, reduced to what a test can check by hand.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rewardlab.models.protocol import Generator, Sampling
from rewardlab.policy.reward import Advantage, Need, Prompt, Reward, RewardMethod, Rollout, Segment
from rewardlab.task import Message, Resource, ResourceKind
from rewardlab.verdict import Decision, Evidence, Hardness, Status


def criteria(prompt: Prompt) -> list[dict[str, Any]]:
    """Criteria of a prompt's rubric: id, weight, and a word that the rollout must hold."""
    (rubric,) = prompt.of_kind(ResourceKind.RUBRIC)
    found: list[dict[str, Any]] = json.loads(rubric.content)
    return found


class AdaptiveRubric(RewardMethod):
    """Stateful and groupwise: criteria weigh by their spread within groups (POW3R, arXiv 2605.20164, Eq. 4-8)."""

    name = "adaptive_rubric"
    needs = frozenset({Need.RUBRIC})
    advantage = Advantage.GROUP_STD
    mixing, momentum, low, high = 0.5, 0.2, 2 / 3, 1.5

    def __init__(self) -> None:
        self.alpha: defaultdict[str, float] = defaultdict(lambda: 1.0)
        self._spread: dict[str, tuple[float, float]] = {}  # weight and spread of this epoch

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        met = {c["id"]: c["word"] in rollout.text for c in criteria(prompt)}
        weights = {c["id"]: c["weight"] * self.alpha[f"{prompt.id}/{c['id']}"] for c in criteria(prompt)}
        value = sum(weights[name] * met[name] for name in met) / sum(weights.values())
        ledger = [
            Evidence(name, None, "", Decision.SATISFIED if met[name] else Decision.VIOLATED, Hardness.HARD)
            for name in met
        ]
        return Reward(value, ledger=tuple(ledger))

    async def score_group(self, prompt: Prompt, rollouts: Sequence[Rollout]) -> Sequence[Reward]:
        rewards = await super().score_group(prompt, rollouts)
        for criterion in criteria(prompt):
            met = [criterion["word"] in rollout.text for rollout in rollouts]
            share = sum(met) / len(met)
            key = f"{prompt.id}/{criterion['id']}"
            self._spread[key] = criterion["weight"], math.sqrt(share * (1 - share) + 1e-6)
        return rewards

    def end_epoch(self) -> None:
        by_prompt: defaultdict[str, list[str]] = defaultdict(list)
        for key in self._spread:
            by_prompt[key.rpartition("/")[0]].append(key)
        for keys in by_prompt.values():
            total = sum(self._spread[key][0] for key in keys)
            mean = sum(weight * spread for weight, spread in (self._spread[key] for key in keys)) / total
            for key in keys:
                wanted = self._clipped(1 - self.mixing + self.mixing * self._spread[key][1] / mean)
                self.alpha[key] = self._clipped((1 - self.momentum) * self.alpha[key] + self.momentum * wanted)
        self._spread = {}

    def state_dict(self) -> Mapping[str, Any]:
        return {"alpha": dict(self.alpha), "spread": dict(self._spread)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.alpha.update(state["alpha"])
        self._spread = {key: (weight, spread) for key, (weight, spread) in state["spread"].items()}

    def _clipped(self, value: float) -> float:
        return min(self.high, max(self.low, value))


class SkillCost(RewardMethod):
    """Stateful over groups: successes pay for what a dictionary cannot abbreviate (ReuseRL, arXiv 2605.31509)."""

    name = "skill_cost"
    needs = frozenset({Need.REFERENCE})
    weight, horizon = 0.5, 10

    def __init__(self) -> None:
        self.phrases: set[str] = set()
        self._successes: list[str] = []

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        (reference,) = prompt.of_kind(ResourceKind.REFERENCE)
        if not rollout.text.endswith(reference.content):
            return Reward(0.0, executions=1)
        return Reward(1.0 - self.weight * self.cost(rollout.text) / self.horizon, executions=1)

    async def score_group(self, prompt: Prompt, rollouts: Sequence[Rollout]) -> Sequence[Reward]:
        rewards = await super().score_group(prompt, rollouts)
        self._successes += [r.text for r, reward in zip(rollouts, rewards, strict=True) if reward.value]
        return rewards

    def cost(self, actions: str) -> int:
        """Fewest phrases that make up the actions, one letter being one action."""
        best = [0] + [len(actions)] * len(actions)
        for end in range(1, len(actions) + 1):
            starts = [s for s in range(end) if end - s == 1 or actions[s:end] in self.phrases]
            best[end] = 1 + min(best[s] for s in starts)
        return best[-1]

    def end_epoch(self) -> None:
        pairs = [text[i : i + 2] for text in self._successes for i in range(len(text) - 1)]
        if pairs:
            self.phrases.add(max(sorted(set(pairs)), key=pairs.count))
        self._successes = []

    def state_dict(self) -> Mapping[str, Any]:
        return {"phrases": sorted(self.phrases), "successes": self._successes}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.phrases, self._successes = set(state["phrases"]), list(state["successes"])


class StepGain(RewardMethod):
    """Precomputed advantages: what each segment adds to the checkpoints reached (ExpRL-Process, DeltaNorm).

    A rollout of one segment has no gain to speak of and gets 0, where the released code pays its whole score.
    """

    name = "step_gain"
    needs = frozenset({Need.REFERENCE})
    advantage = Advantage.PRECOMPUTED
    mark = "###"

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        if rollout.truncated:
            return Reward(None, Status.TRUNCATED)
        (reference,) = prompt.of_kind(ResourceKind.REFERENCE)
        checkpoints = reference.content.split(",")
        starts = [0, *(i for i in range(1, len(rollout.text)) if rollout.text.startswith(self.mark, i))]
        ends = [*starts[1:], len(rollout.text)]
        parts = [rollout.text[start:end] for start, end in zip(starts, ends, strict=True)]
        scores = [sum(c in part for c in checkpoints) / len(checkpoints) for part in parts]
        before = [scores[-1], *scores[:-1]]
        segments = tuple(Segment(s, e, b - a) for s, e, b, a in zip(starts, ends, scores, before, strict=True))
        return Reward(scores[-1], segments=segments)


class NarrowedQuestions(RewardMethod):
    """Data-preparing: rewrites questions, keeps those that the policy masters at times (QUBRIC, arXiv 2606.03968)."""

    name = "narrowed_questions"
    needs = frozenset({Need.REFERENCE, Need.POLICY})
    samples, low, high = 8, 0.2, 0.5

    def __init__(self, rewrite: str = "Be brief. {question}") -> None:
        self._rewrite = rewrite

    async def prepare(self, prompts: Sequence[Prompt], policy: Generator | None) -> Sequence[Prompt]:
        assert policy is not None
        kept = []
        for prompt in prompts:
            (reference,) = prompt.of_kind(ResourceKind.REFERENCE)
            text = self._rewrite.format(question=prompt.messages[-1].content, reference=reference.content)
            made = replace(prompt, id=f"{prompt.id}/narrow", messages=(Message("user", text),), origin=prompt.id)
            answers = [(await policy.chat(made.messages, Sampling(repeat=n))).text for n in range(self.samples)]
            rewards = [await self.score(made, Rollout(answer)) for answer in answers]
            share = sum(reward.value or 0.0 for reward in rewards) / self.samples
            if self.low <= share <= self.high:
                kept.append(made)
        return kept

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        (reference,) = prompt.of_kind(ResourceKind.REFERENCE)
        return Reward(float(rollout.text == reference.content))


class LearnedPlan(RewardMethod):
    """Learns from artifacts: a word's worth from pairs of plans, its group reward centred only (OrchRM)."""

    name = "learned_plan"
    needs = frozenset({Need.ARTIFACTS})
    advantage = Advantage.GROUP_MEAN

    def __init__(self) -> None:
        self.worth: dict[str, float] = {}

    async def fit(self, artifacts: Path) -> None:
        for line in (artifacts / "pairs.jsonl").read_text().splitlines():
            pair = json.loads(line)
            for side, sign in (("chosen", 1.0), ("rejected", -1.0)):
                for word in pair[side].split():
                    self.worth[word] = self.worth.get(word, 0.0) + sign

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        return Reward(sum(self.worth.get(word, 0.0) for word in rollout.text.split()))

    def state_dict(self) -> Mapping[str, Any]:
        return {"worth": self.worth}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.worth = dict(state["worth"])


class Letters(RewardMethod):
    """Share of an answer's characters that are lower-case letters; keeps count of the groups that it has seen."""

    name = "letters"

    def __init__(self) -> None:
        self.groups = 0

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        return Reward(sum("a" <= ch <= "z" for ch in rollout.text) / max(1, len(rollout.text)))

    async def score_group(self, prompt: Prompt, rollouts: Sequence[Rollout]) -> Sequence[Reward]:
        self.groups += 1
        return await super().score_group(prompt, rollouts)

    def state_dict(self) -> Mapping[str, Any]:
        return {"groups": self.groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.groups = state["groups"]


def resource(kind: ResourceKind, content: str) -> Resource:
    """A resource as `verifiable` makes them."""
    from rewardlab.task import Provenance

    return Resource(kind.value, kind, content, Provenance.PROGRAM)
