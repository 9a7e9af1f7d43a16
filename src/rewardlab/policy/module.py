"""GRPO as a LightningModule: group rollouts, their rewards, and the clipped update (DeepSeekMath, arXiv 2402.03300).

The loader makes rollouts with the policy as it is (`experience`); a training step is one minibatch of them. All answers
to a prompt share one pass over it, and an answer without advantage costs nothing where there is no KL term. Where a
minibatch has nothing to learn from, no weight moves.

Checkpoints hold the trained weights only, optimiser, schedule, the place in the data, rollouts that are not used up,
the state of the reward method and the counters.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from rewardlab.evaluation.loop import LoopThread
from rewardlab.models.packed import logprobs
from rewardlab.policy.exam import Exam
from rewardlab.policy.experience import Collected, Experience, Group, Minibatch, Trajectory
from rewardlab.policy.loss import Objective, Tokens, policy_loss, weights
from rewardlab.policy.model import Policy
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout
from rewardlab.policy.rollouts import Decoding, Sampled, Sampler
from rewardlab.policy.scoring import Scored, Scorer
from rewardlab.randomness import stream
from rewardlab.training.batches import Batches
from rewardlab.training.tuning import Optimisation, make_optimizer, trainable


@dataclass(frozen=True, slots=True)
class Rollouts:
    """How a batch of rollouts is made and used.

    Attributes:
        group: Rollouts of each prompt.
        decoding: How they are drawn.
        passes: Times that each batch of rollouts is gone through.
        minibatches: Parts of it, each its own step (or part of one, with `accumulate`).
        timeout: Seconds for the rewards of one group.
    """

    group: int
    decoding: Decoding
    passes: int = 1
    minibatches: int = 1
    timeout: float = 600.0


class GrpoModule(L.LightningModule):
    """A policy in training.

    Args:
        policy: What is trained.
        method: What scores rollouts.
        prompts: Training prompts.
        validation: Exams for the learning curve.
        final: Exams for the final numbers.
        rollouts: How rollouts are made and used.
        objective: What is minimised.
        optimisation: How weights are moved; a batch is one of prompts.
        seed: Of rollouts and their order.
        loop: Where rewards are computed.

    Attributes:
        results: Numbers of the final exams, once they have been taken.
        answered: The same for each of their questions, without texts.
        seconds: Wall time of this session by phase: rollouts, rewards, reference, update, exams.
        scorer: Scores groups and counts.
    """

    def __init__(
        self,
        policy: Policy,
        method: RewardMethod,
        prompts: Sequence[Prompt],
        validation: Sequence[Exam],
        final: Sequence[Exam],
        rollouts: Rollouts,
        objective: Objective,
        optimisation: Optimisation,
        seed: int,
        loop: LoopThread,
    ) -> None:
        super().__init__()
        self.strict_loading = False  # checkpoints lack the frozen weights
        self.policy = policy
        self.scorer = Scorer(method, policy.tokenizer, rollouts.timeout)
        self.results: dict[str, float] = {}
        self.answered: list[dict[str, Any]] = []
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._sampler = Sampler(policy.packed, policy.tokenizer)
        self._method, self._prompts, self._loop = method, prompts, loop
        self._exams = {"validation": tuple(validation), "final": tuple(final)}
        self._rollouts, self._objective, self._optimisation, self._seed = rollouts, objective, optimisation, seed
        self._began = 0.0

    def train_dataloader(self) -> Experience:
        """Rollouts, made while they are asked for."""
        lengths, size = [1] * len(self._prompts), self._optimisation.batch_size
        world, rank = self.trainer.world_size, self.trainer.global_rank
        batches = Batches(self._prompts, lengths, size, tuple, self._seed, rank, world)
        settings = self._rollouts
        return Experience(
            batches, self.collect, self._method, self.scorer, settings.passes, settings.minibatches, self._seed
        )

    def collect(self, number: int, prompts: Sequence[Prompt]) -> Collected:
        """Roll out a batch of prompts, score the rollouts and make of them what is learned from.

        Args:
            number: Of the batch; names the random streams.
            prompts: The batch.
        """
        ids = [self.policy.prompt_ids(prompt.messages) for prompt in prompts]
        group = range(self._rollouts.group)
        rngs = [[stream(self._seed, "rollout", number, prompt.id, n) for n in group] for prompt in prompts]
        with self._timed("rollouts"):
            sampled = self._sampled(ids, rngs, self._rollouts.decoding)
        with self._timed("rewards"):
            scored = self._loop.run(self.scorer.score(list(zip(prompts, sampled, strict=True))))
        with self._timed("reference"):
            groups = self._learnable(ids, scored)
        return Collected(groups, _numbers(scored))

    def training_step(self, batch: Minibatch, batch_idx: int) -> Tensor | None:
        """The loss of one minibatch; None where there is nothing to learn from."""
        trajectories = [trajectory for group in batch.groups for trajectory in group.trajectories]
        parts = dict.fromkeys(("loss", "clipped", "kl"), math.nan)
        loss = None
        if trajectories:
            pairs = [(group.prompt, [t.tokens for t in group.trajectories]) for group in batch.groups]
            new = torch.cat(logprobs(self.policy.packed, pairs, self._temperature))
            found = policy_loss(new, _tokens(trajectories, new.device), self._objective)
            loss = found.loss
            parts = {"loss": float(loss.detach()), "clipped": float(found.clipped), "kl": float(found.kl)}
        elif self.trainer.world_size > 1:  # other processes wait for the gradients of this one
            loss = self._nothing()
        for name, value in {"reward": math.nan, **batch.numbers, **parts}.items():
            self.log(f"train/{name}", value, on_step=True, batch_size=1)
        return loss

    def val_dataloader(self) -> DataLoader[Any]:
        """The exams of the learning curve, one a batch."""
        return self._exam_loader("validation")

    def test_dataloader(self) -> DataLoader[Any]:
        """The final exams, likewise."""
        return self._exam_loader("final")

    def validation_step(self, batch: Exam, batch_idx: int) -> None:
        """Take an exam."""
        with self._timed("exams"):
            found = batch.results(batch.graded([rollout.text for rollout in self.answers(batch)]))
        for name, value in found.items():
            self.log(f"validation/{name}", value, rank_zero_only=True, batch_size=1)

    def test_step(self, batch: Exam, batch_idx: int) -> None:
        """Take an exam, and hear what the training reward has to say about the same answers."""
        with self._timed("exams"):
            answers = self.answers(batch)
            graded, words = batch.graded([answer.text for answer in answers]), [len(a.text.split()) for a in answers]
            rewards = self._loop.run(self._rewarded(batch.prompts, answers))
        self.results |= batch.results(graded)
        self.results[f"{batch.name}/length"] = sum(words) / len(words)
        if valued := [reward for reward in rewards if reward is not None]:
            self.results[f"{batch.name}/reward"] = sum(valued) / len(valued)
        self.answered += [
            {"exam": batch.name, "prompt": prompt.id, "words": length, "reward": reward, **numbers}
            for prompt, length, reward, numbers in zip(batch.prompts, words, rewards, graded, strict=True)
        ]

    def answers(self, exam: Exam) -> list[Rollout]:
        """The policy's most likely answers to an exam, token by token."""
        decoding = Decoding(self._rollouts.decoding.max_tokens, 0.0, self._rollouts.decoding.batch_size)
        ids = [self.policy.prompt_ids(prompt.messages) for prompt in exam.prompts]
        rngs = [[stream(self._seed, "exam")]] * len(ids)  # nothing is drawn from it
        return [only.rollout for (only,) in self._sampled(ids, rngs, decoding)]

    def configure_optimizers(self) -> Any:
        """AdamW with warm-up and linear decay over all steps of the run."""
        return make_optimizer(self.policy, self._optimisation, len(self.train_dataloader()))

    def on_train_batch_start(self, batch: Minibatch, batch_idx: int) -> None:
        """Start the watch."""
        self._began = time.perf_counter()

    def on_train_batch_end(self, outputs: Any, batch: Minibatch, batch_idx: int) -> None:
        """Stop the watch."""
        self.seconds["update"] += time.perf_counter() - self._began

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave frozen weights out."""
        checkpoint["state_dict"] = trainable(checkpoint["state_dict"], self)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Batches are plain data; tensors are made where they are used."""
        return batch

    def _sampled(
        self, prompts: Sequence[Sequence[int]], rngs: Sequence[Sequence[np.random.Generator]], decoding: Decoding
    ) -> list[list[Sampled]]:
        with self._precision():
            return self._sampler.groups(prompts, rngs, decoding)

    def _precision(self) -> AbstractContextManager[Any]:
        """What a training step runs in, so that a policy is asked in the precision in which it is trained."""
        context: AbstractContextManager[Any] = self.trainer.precision_plugin.forward_context()
        return context

    @property
    def _temperature(self) -> float:
        return self._rollouts.decoding.temperature

    def _learnable(self, ids: Sequence[Sequence[int]], scored: Sequence[Scored]) -> list[Group]:
        """What of the scored rollouts is learned from.

        Masked rollouts, and groups with fewer than two rewards, have no part in the loss at all. Where all rewards of a
        group are equal its tokens count in the mean over tokens, and only the KL term has anything to say about them.
        """
        valid = [
            [n for n, reward in enumerate(one.rewards) if reward.value is not None]
            if one.skipped in ("", "no spread")
            else []
            for one in scored
        ]
        lengths = [len(one.sampled[n].tokens) for one, kept in zip(scored, valid, strict=True) for n in kept]
        each = iter(weights(lengths, self._objective.mean))
        groups = []
        for prompt, one, kept in zip(ids, scored, valid, strict=True):
            weighted = [(n, self._rollouts.minibatches * next(each)) for n in kept]
            chosen = [(n, w) for n, w in weighted if self._objective.kl or any(one.advantages[n])]
            references = self._reference(prompt, [one.sampled[n].tokens for n, _ in chosen])
            trajectories = [
                Trajectory(one.sampled[n].tokens, one.sampled[n].logprobs, reference, one.advantages[n], weight)
                for (n, weight), reference in zip(chosen, references, strict=True)
            ]
            groups.append(Group(prompt, trajectories))
        return groups

    @torch.no_grad()
    def _reference(self, prompt: Sequence[int], answers: Sequence[Sequence[int]]) -> list[list[float]]:
        if not self._objective.kl or not answers:
            return [[]] * len(answers)
        with self._precision(), self.policy.reference() as model:
            return [found.tolist() for found in logprobs(model, [(prompt, answers)], self._temperature)]

    async def _rewarded(self, prompts: Sequence[Prompt], answers: Sequence[Rollout]) -> list[float | None]:
        """The training rewards of answers, None where the method cannot score one; its cost is not counted."""
        able = [n for n, prompt in enumerate(prompts) if not self._method.lacks(prompt)]
        found: list[Reward] = await asyncio.gather(*(self._method.score(prompts[n], answers[n]) for n in able))
        values = {n: reward.value for n, reward in zip(able, found, strict=True)}
        return [values.get(n) for n in range(len(prompts))]

    def _nothing(self) -> Tensor:
        zero = torch.zeros((), device=self.device)
        return zero + sum(0.0 * p.sum() for p in self.policy.parameters() if p.requires_grad)

    def _exam_loader(self, which: str) -> DataLoader[Any]:
        exams: Any = [exam for exam in self._exams[which] if exam.prompts]  # a list is dataset enough
        return DataLoader(exams, batch_size=None)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[phase] += time.perf_counter() - began


def _tokens(trajectories: Sequence[Trajectory], device: torch.device) -> Tokens:
    def row(name: str) -> Tensor:
        return torch.tensor([value for t in trajectories for value in getattr(t, name)], device=device)

    lengths = [len(t.tokens) for t in trajectories]
    repeated = torch.tensor([t.weight for t in trajectories], device=device)
    weight = repeated.repeat_interleave(torch.tensor(lengths, device=device))
    return Tokens(lengths, row("old"), row("reference"), row("advantages"), weight)


def _numbers(scored: Sequence[Scored]) -> Mapping[str, float]:
    """About a batch of rollouts, for the learning curve; a mean over nothing is left out.

    `entropy` is the mean of -log p of what was drawn, an unbiased estimate of the entropy of a token.
    """
    sampled: list[Sampled] = [one for group in scored for one in group.sampled]
    rewards = [reward for group in scored for reward in group.rewards]
    values = [reward.value for reward in rewards if reward.value is not None]
    tokens = sum(len(one.tokens) for one in sampled)
    found = {
        "length": tokens / len(sampled),
        "truncated": sum(one.rollout.truncated for one in sampled) / len(sampled),
        "entropy": -sum(map(math.fsum, (one.logprobs for one in sampled))) / tokens,
        "masked": 1 - len(values) / len(rewards),
        "zero_variance": sum(group.skipped == "no spread" for group in scored) / len(scored),
        "skipped": sum(group.skipped not in ("", "no spread") for group in scored) / len(scored),
    }
    if values:
        found["reward"] = math.fsum(values) / len(values)
    return found
