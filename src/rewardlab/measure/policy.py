"""What our GRPO is worth against TRL's: whole steps of rollouts, rewards and one update on the same tokens.

Our loop runs first. TRL then makes rollouts of its own, as many and as long, which are timed and replaced by ours; so
both learn from the same tokens, and the gradients of the first step must be equal, or no ratio comes of it. Rollouts do
not end before their last token, and rewards are drawn from the text, so every rollout has an advantage and no side may
leave one out. The first step warms up and is not timed.
"""

from __future__ import annotations

import copy
import hashlib
import math
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.evaluation.loop import LoopThread
from rewardlab.measure.ratio import Ratio
from rewardlab.measure.scoring import SEED, DifferentNumbers
from rewardlab.measure.training import import_trl
from rewardlab.models.reward_checkpoint import EMBEDDED
from rewardlab.policy.adapters.trl import TrlReward, dataset
from rewardlab.policy.experience import Minibatch
from rewardlab.policy.loss import Objective
from rewardlab.policy.model import Policy, Source
from rewardlab.policy.module import GrpoModule, Rollouts
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout, prompts_of
from rewardlab.policy.rollouts import Decoding, Sampler
from rewardlab.training.run import Machine, make_trainer
from rewardlab.training.tuning import Lora, Optimisation

_NEVER = 10**9
_EQUAL = 1e-3  # between two norms of a gradient, relative


class Steps(NamedTuple):
    """What a loop did: seconds of all steps but the first, those of them spent on rollouts, and the norm of the first
    gradient."""

    seconds: float
    rollouts: float
    norm: float


class GrpoSteps:
    """Rollout tokens a second of training a policy with GRPO and LoRA in fp32, rewards at no cost.

    Args:
        prompts: Of a step.
        group: Rollouts of a prompt.
        tokens: Of a rollout.
        steps: Steps that are timed.
        at_least: What our way must be worth.
        model: "embedded", a name on the hub, or a folder.
    """

    def __init__(
        self, prompts: int, group: int, tokens: int, steps: int, at_least: float, model: str = EMBEDDED
    ) -> None:
        self._prompts, self._group, self._tokens, self._steps = prompts, group, tokens, steps
        self._at_least, self._model = at_least, model

    def measure(self) -> Sequence[Ratio]:
        """Whole steps against TRL's GRPOTrainer, and their two parts.

        Raises:
            MissingRequirement: When TRL is not installed or the model cannot be loaded.
            DifferentNumbers: When prompts, or the norms of the first gradient, differ.
        """
        trl = import_trl()
        policy = Source("measured", self._model, "lora", Lora()).load(False, SEED)
        theirs = copy.deepcopy(policy.trained)
        asked = self._asked()
        ours, batches = self._ours(policy, asked)
        other = self._trl(trl, theirs, policy, asked, batches)
        if not math.isclose(ours.norm, other.norm, rel_tol=_EQUAL):
            raise DifferentNumbers(f"norms of the first gradient differ: {ours.norm:.6f} and {other.norm:.6f}")
        tokens = self._steps * self._prompts * self._group * self._tokens
        raw = {"tokens": tokens, "ours": ours._asdict(), "theirs": other._asdict()}

        def ratio(what: str, mine: float, its: float, least: float | None = None) -> Ratio:
            return Ratio(what, tokens / mine, f"TRL {trl.__version__}", tokens / its, "tokens/s", least, raw=raw)

        return [
            ratio("training a policy with GRPO", ours.seconds, other.seconds, self._at_least),
            ratio("its rollouts", ours.rollouts, other.rollouts),
            ratio("its updates and the rest", ours.seconds - ours.rollouts, other.seconds - other.rollouts),
        ]

    def _asked(self) -> list[Prompt]:
        wanted = self._prompts * (self._steps + 1)
        families = ["counted_sentences", "opening_and_closing", "chosen_words"]
        return prompts_of(Verifiable("train", "rate", -(-wanted // len(families)), SEED, families))[:wanted]

    def _ours(self, policy: Policy, asked: Sequence[Prompt]) -> tuple[Steps, list[Minibatch]]:
        module = GrpoModule(
            policy=policy,
            method=_Drawn(),
            prompts=asked,
            validation=(),
            final=(),
            rollouts=Rollouts(self._group, Decoding(self._tokens, 1.0, self._prompts * self._group)),
            objective=Objective(),
            optimisation=Optimisation(1, self._prompts, 1e-4),
            seed=SEED,
            loop=LoopThread(),
        )
        module._sampler = _Endless(policy.packed, policy.tokenizer)
        watch = _Watch()
        with tempfile.TemporaryDirectory() as folder:
            machine = Machine("cpu", 1, 1, "auto", "32-true", _NEVER, _NEVER, 1)
            make_trainer(machine, {"epochs": 1, "accumulate": 1, "clip": 0.0}, Path(folder), [watch]).fit(module)
        first, last = watch.at[0], watch.at[-1]
        return Steps(last.end - first.end, last.rollouts - first.rollouts, first.norm), watch.batches

    def _trl(
        self, trl: Any, model: Any, policy: Policy, asked: Sequence[Prompt], batches: Sequence[Minibatch]
    ) -> Steps:
        by_ids = {tuple(policy.prompt_ids(prompt.messages)): prompt for prompt in asked}
        groups = [group for batch in batches for group in batch.groups]
        with tempfile.TemporaryDirectory() as folder:
            trainer = _replaying(
                trl,
                model,
                policy,
                [by_ids[tuple(group.prompt)] for group in groups],
                [(list(group.prompt), [list(t.tokens) for t in group.trajectories]) for group in groups],
                output_dir=folder,
                per_device_train_batch_size=self._prompts * self._group,
                max_completion_length=self._tokens,
                generation_kwargs={"min_new_tokens": self._tokens},
            )
            trainer.train()
        (norm, *_) = [entry["grad_norm"] for entry in trainer.state.log_history if "grad_norm" in entry]
        at: list[tuple[float, float]] = trainer.at
        return Steps(at[-1][0] - at[0][0], at[-1][1] - at[0][1], float(norm))


class _Drawn(RewardMethod):
    """A number in [0, 1) from the text."""

    name = "drawn"

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        return Reward(hashlib.sha256(rollout.text.encode()).digest()[0] / 256)


class _Endless(Sampler):
    """Rollouts that no token ends."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._ends = torch.empty(0, dtype=torch.long)


class _At(NamedTuple):
    """The end of a step, the seconds spent on rollouts until then, and the norm of its gradient."""

    end: float
    rollouts: float
    norm: float


class _Watch(L.Callback):
    """Notes what each step learned from, and when it ended."""

    def __init__(self) -> None:
        self.batches: list[Minibatch] = []
        self.at: list[_At] = []
        self._norm = 0.0

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Any) -> None:
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        self._norm = float(torch.nn.utils.get_total_norm(gradients))

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Minibatch, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, GrpoModule)
        self.batches.append(batch)
        self.at.append(_At(time.perf_counter(), pl_module.seconds["rollouts"], self._norm))


def _replaying(
    trl: Any,
    model: Any,
    policy: Policy,
    asked: Sequence[Prompt],
    rollouts: Sequence[tuple[list[int], list[list[int]]]],
    **settings: Any,
) -> Any:
    """TRL's trainer; its own rollouts are timed and then replaced by the given ones, group after group."""
    from transformers import TrainerCallback

    group = len(rollouts[0][1])
    together = settings["per_device_train_batch_size"] // group

    class Replaying(trl.GRPOTrainer):  # type: ignore[misc]
        at: list[tuple[float, float]]
        generating = 0.0
        given = 0

        def _generate_single_turn(self, prompt_ids: Any, *arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            made, logprobs = super()._generate_single_turn(prompt_ids, *arguments, **options)
            self.generating += time.perf_counter() - began
            chosen = rollouts[self.given : self.given + together]
            self.given += len(chosen)
            ours = [list(tokens) for _, answers in chosen for tokens in answers]
            if [list(ids) for ids in prompt_ids] != [ids for ids, answers in chosen for _ in answers]:
                raise DifferentNumbers("the two sides make different tokens of one prompt")
            if list(map(len, made)) != list(map(len, ours)):
                raise DifferentNumbers("the rollouts of the two sides are not equally long")
            return ours, logprobs

    class Clock(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            trainer.at.append((time.perf_counter(), trainer.generating))

    arguments = trl.GRPOConfig(
        num_generations=group,
        num_train_epochs=1,
        learning_rate=1e-4,
        max_grad_norm=_NEVER,
        loss_type="bnpo",  # the mean over tokens, as ours
        beta=0.0,
        shuffle_dataset=False,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **settings,
    )
    trainer = Replaying(
        model,
        reward_funcs=TrlReward(_Drawn(), list(asked)),
        args=arguments,
        train_dataset=dataset(asked),
        processing_class=policy.tokenizer,
        callbacks=[Clock()],
    )
    trainer.at = []
    return trainer
