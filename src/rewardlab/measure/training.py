"""What our training is worth against TRL's, on the same batches of the same tokens.

Our loop runs first and its batches are noted; TRL gets them in the same order, with the same initial weights, precision
and optimiser settings and without the gradient checkpointing that it would turn on. The first losses must be equal, or
no ratio comes of it. The first step warms up and is not timed; real tokens are counted, whether or not they were
computed once for several texts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch

from rewardlab.errors import MissingRequirement
from rewardlab.measure.ratio import Ratio
from rewardlab.measure.scoring import EQUAL, SEED, DifferentNumbers, classifier
from rewardlab.models.chat_prompt import ChatPrompt
from rewardlab.models.local import end_tokens
from rewardlab.models.reward_checkpoint import EMBEDDED
from rewardlab.models.reward_model import RewardBatch
from rewardlab.randomness import stream
from rewardlab.training.bradley_terry import BradleyTerry
from rewardlab.training.curve import Curve
from rewardlab.training.demonstrations import Turn
from rewardlab.training.intake import Intake
from rewardlab.training.judge_tuning import ImitationModule, conversations
from rewardlab.training.likelihood import Likelihood
from rewardlab.training.module import Batch, Item, RewardModule
from rewardlab.training.preferences import Preference, Preferences, verifiable
from rewardlab.training.run import Machine, make_trainer
from rewardlab.training.tuning import Lora, Optimisation, build_causal

Row = Mapping[str, list[int]]

_LORA = Lora()
_NEVER = 10**9


class Loop(NamedTuple):
    """What a training loop did: losses of all steps, and the seconds of all but the first."""

    losses: list[float]
    seconds: float


class RewardTraining:
    """Tokens a second of training a Bradley-Terry reward model with LoRA in fp32.

    Args:
        batch: Pairs of a batch.
        steps: Steps that are timed.
        at_least: What our way must be worth.
        backbone: "embedded", a name on the hub, or a folder.
    """

    def __init__(self, batch: int, steps: int, at_least: float, backbone: str = EMBEDDED) -> None:
        self._batch, self._steps, self._at_least, self._backbone = batch, steps, at_least, backbone

    def measure(self) -> Sequence[Ratio]:
        """Our LightningModule against TRL's RewardTrainer.

        Raises:
            MissingRequirement: When TRL is not installed or the backbone cannot be loaded.
            DifferentNumbers: When the losses of the first step differ by more than 1e-4.
        """
        trl, rate = import_trl(), _optimisation(self._batch)
        pairs = _pairs(self._batch * (self._steps + 1))
        data = Preferences("verifiable", pairs, (), Intake(), "verifiable")
        module = BradleyTerry(data, self._backbone, "lora", rate, SEED, _LORA, max_length=_NEVER).prepare()
        theirs = classifier(self._backbone, module.model)
        ours, batches = _trained(module, rate)
        rows: list[Row] = []
        for batch in batches:
            texts = [ids[mask.bool()].tolist() for ids, mask in zip(batch.ids, batch.mask, strict=True)]
            half = len(texts) // 2
            rows += [{"chosen_ids": a, "rejected_ids": b} for a, b in zip(texts[:half], texts[half:], strict=True)]
        other = _trained_by(trl.RewardTrainer, trl.RewardConfig, theirs, rows, rate, "SEQ_CLS", self._backbone)
        return [_ratio("training a reward model", ours, other, batches, f"TRL {trl.__version__}", self._at_least)]


class FineTuning:
    """Tokens a second of fine-tuning a language model on answers with LoRA in fp32.

    Args:
        batch: Answers of a batch.
        steps: Steps that are timed.
        at_least: What our way must be worth.
        backbone: "embedded", a name on the hub, or a folder.
    """

    def __init__(self, batch: int, steps: int, at_least: float, backbone: str = EMBEDDED) -> None:
        self._batch, self._steps, self._at_least, self._backbone = batch, steps, at_least, backbone

    def measure(self) -> Sequence[Ratio]:
        """Our module for imitation against TRL's SFTTrainer, with loss on the answers alone.

        Raises:
            MissingRequirement: When TRL is not installed or the backbone cannot be loaded.
            DifferentNumbers: When the losses of the first step differ by more than 1e-4.
        """
        trl, rate = import_trl(), _optimisation(self._batch)
        model, tokenizer = build_causal(self._backbone, _LORA, SEED)
        theirs = build_causal(self._backbone, _LORA, SEED)[0].unload()
        prompt, ends = ChatPrompt(tokenizer), end_tokens(model, tokenizer)
        items = []
        for pair in _pairs(self._batch * (self._steps + 1)):
            turn = Turn(pair.question, (), "none", pair.chosen)
            items += [Item((x,), ()) for x in conversations(prompt, ends, [turn], describe_tools=False)]
        module = ImitationModule(
            kinds=[0] * len(items),
            model=Likelihood(model),
            train=items,
            validation=[],
            final=[],
            optimisation=rate,
            seed=SEED,
        )
        ours, batches = _trained(module, rate)
        rows = [_answer(*row) for batch in batches for row in zip(*batch, strict=True)]
        other = _trained_by(trl.SFTTrainer, trl.SFTConfig, theirs, rows, rate, "CAUSAL_LM", self._backbone)
        return [_ratio("fine-tuning on answers", ours, other, batches, f"TRL {trl.__version__}", self._at_least)]


def _ratio(what: str, ours: Loop, theirs: Loop, batches: Sequence[RewardBatch], against: str, least: float) -> Ratio:
    if abs(ours.losses[0] - theirs.losses[0]) > EQUAL:
        raise DifferentNumbers(f"losses of the first step differ: {ours.losses[0]:.6f} and {theirs.losses[0]:.6f}")
    tokens = sum(int(batch.mask.sum()) for batch in batches[1:])
    raw = {"tokens": tokens, "ours": ours._asdict(), "theirs": theirs._asdict()}
    return Ratio(what, tokens / ours.seconds, against, tokens / theirs.seconds, "tokens/s", least, raw=raw)


def _pairs(count: int) -> tuple[Preference, ...]:
    """Pairs of `verifiable`, drawn from all families."""
    found = verifiable(-(-count // 10), 0, SEED, pairs_per_example=1).train
    drawn = stream(SEED, "measured pairs").permutation(len(found))[:count]
    return tuple(found[i] for i in drawn)


def _optimisation(batch: int) -> Optimisation:
    return Optimisation(epochs=1, batch_size=batch, learning_rate=1e-4)


class _Watch(L.Callback):
    """Notes the inputs of each step, and when it ended."""

    def __init__(self) -> None:
        self.batches: list[RewardBatch] = []
        self.ends: list[float] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        assert isinstance(batch.inputs, RewardBatch)
        self.batches.append(batch.inputs)
        self.ends.append(time.perf_counter())


def _trained(module: RewardModule, rate: Optimisation) -> tuple[Loop, list[RewardBatch]]:
    machine = Machine("cpu", 1, 1, "auto", "32-true", _NEVER, _NEVER, 1)
    curve, watch = Curve(), _Watch()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"epochs": rate.epochs, "accumulate": rate.accumulate, "clip": rate.clip}
        make_trainer(machine, settings, Path(folder), [curve, watch]).fit(module)
    losses = [point["value"] for point in curve.points if point["name"] == "train/loss"]
    return Loop(losses, watch.ends[-1] - watch.ends[0]), watch.batches


def _trained_by(
    trainer: Any, settings: Any, model: Any, rows: Sequence[Row], rate: Optimisation, task: str, backbone: str
) -> Loop:
    """TRL's loop over rows in their order."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback

    from rewardlab.models.reward_checkpoint import load_tokenizer

    ends: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        arguments = settings(
            folder,
            per_device_train_batch_size=rate.batch_size,
            num_train_epochs=rate.epochs,
            learning_rate=rate.learning_rate,
            max_grad_norm=rate.clip,
            train_sampling_strategy="sequential",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            max_length=None,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        running = trainer(
            model,
            arguments,
            train_dataset=Dataset.from_list([dict(row) for row in rows]),
            processing_class=load_tokenizer(backbone),
            callbacks=[Clock()],
            peft_config=LoraConfig(task_type=task, r=_LORA.r, lora_alpha=_LORA.alpha, target_modules="all-linear"),
        )
        running.train()
        losses = [float(entry["loss"]) for entry in running.state.log_history if "loss" in entry]
    return Loop(losses, ends[-1] - ends[0])


def _answer(ids: torch.Tensor, mask: torch.Tensor, read: torch.Tensor) -> Row:
    """A text with labels at the tokens behind those that are read."""
    length = int(mask.sum())
    shown = ids[:length].tolist()
    labels = [-100, *(following if here else -100 for following, here in zip(shown[1:], read.tolist(), strict=False))]
    return {"input_ids": shown, "labels": labels}


def import_trl() -> Any:
    """TRL. Raises MissingRequirement when it is not installed."""
    try:
        import trl
    except ImportError as error:
        raise MissingRequirement(
            "our training is held against TRL, which is not installed", "pip install trl"
        ) from error
    return trl
