"""What the LightningModules of reward models share: data, optimiser, checkpoints of what moves, and validation.

A method adds its loss and its metrics. Checkpoints hold the trained weights only (for LoRA and heads a few megabytes),
optimiser, schedule, the place in the data and the learning curve. Torch's generator is set anew before every step from
the seed and the step's number, so dropout of a resumed run draws what an unbroken one draws.

Every process validates on all examples, so that validation numbers do not depend on how many processes there are.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import lightning as L
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from rewardlab.models.reward_model import RewardBatch, RewardModel, by_length, collate
from rewardlab.models.reward_prompt import Encoded
from rewardlab.randomness import stream
from rewardlab.training.batches import Batches
from rewardlab.training.tuning import Optimisation, make_optimizer, trainable


class Item(NamedTuple):
    """One training or validation example.

    Attributes:
        inputs: What the model reads: chosen and rejected, or one solution.
        targets: A number for each output that the loss uses: a margin, or one label a step.
        features: Hidden states (positions, width) of each input where the backbone is frozen, else empty.
    """

    inputs: tuple[Encoded, ...]
    targets: tuple[float, ...]
    features: tuple[Tensor, ...] = ()

    @property
    def tokens(self) -> int:
        """Tokens of the longest input."""
        return max(len(x.ids) for x in self.inputs)


class Batch(NamedTuple):
    """Items side by side: all first inputs, then all second ones; features (n, width) where the backbone is frozen."""

    inputs: RewardBatch | Tensor
    targets: Tensor
    tokens: Tensor


class RewardModule(L.LightningModule, ABC):
    """A reward model in training.

    Args:
        model: With gradients required exactly where weights are trained.
        train: Training examples.
        validation: Validation examples, for the learning curve.
        final: Examples for the final numbers.
        optimisation: How weights are moved.
        seed: Of the order of the data and of dropout.

    Attributes:
        final_outputs: Outputs (positions, outputs) of each final example, once they have been asked for.
    """

    def __init__(
        self,
        model: RewardModel,
        train: Sequence[Item],
        validation: Sequence[Item],
        final: Sequence[Item],
        optimisation: Optimisation,
        seed: int,
    ) -> None:
        super().__init__()
        self.strict_loading = False  # checkpoints lack the frozen weights
        self.model = model
        self.train_items, self.validation_items, self.final_items = train, validation, final
        self.final_outputs: Sequence[Tensor] = ()
        self._optimisation = optimisation
        self._seed = seed
        self._outputs: dict[int, Tensor] = {}

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of a batch from outputs (n, outputs) at the tokens that are read and targets (m)."""

    @abstractmethod
    def metrics(self, outputs: Sequence[Tensor], items: Sequence[Item]) -> Mapping[str, float]:
        """Numbers for the learning curve from the outputs (positions, outputs) of each item, inputs in order."""

    def outputs(self, batch: Batch) -> Tensor:
        """Outputs (n, outputs) of a batch."""
        found: Tensor = self.model(batch.inputs) if isinstance(batch.inputs, tuple) else self.model.head(batch.inputs)
        return found.float()

    def train_dataloader(self) -> Batches[Item, Batch]:
        """Batches for this process."""
        lengths = [item.tokens for item in self.train_items]
        size = self._optimisation.batch_size
        world, rank = self.trainer.world_size, self.trainer.global_rank
        return Batches(self.train_items, lengths, size, gathered, self._seed, rank, world)

    def val_dataloader(self) -> DataLoader[Any]:
        """All validation examples with their numbers, longest first."""
        return self._whole(self.validation_items)

    def test_dataloader(self) -> DataLoader[Any]:
        """All examples of the final numbers, likewise."""
        return self._whole(self.final_items)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Make dropout a function of seed and step."""
        draw = stream(self._seed, "dropout", self.trainer.global_step, batch_idx, self.trainer.global_rank)
        torch.manual_seed(int(draw.integers(2**63)))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        loss = self.loss(self.outputs(batch), batch.targets)
        self.log("train/loss", loss.detach(), on_step=True)
        return loss

    def validation_step(self, batch: tuple[list[int], Batch], batch_idx: int) -> None:
        """Keep the outputs of each item."""
        self._keep(batch, self.validation_items)

    def on_validation_epoch_end(self) -> None:
        """Log the method's metrics."""
        for name, value in self.metrics(self._kept(), self.validation_items).items():
            if not math.isnan(value):
                self.log(f"validation/{name}", value, rank_zero_only=True)

    def test_step(self, batch: tuple[list[int], Batch], batch_idx: int) -> None:
        """Keep the outputs of each item."""
        self._keep(batch, self.final_items)

    def on_test_epoch_end(self) -> None:
        """Hand the outputs to the method."""
        self.final_outputs = self._kept()

    def configure_optimizers(self) -> Any:
        """AdamW with warm-up and linear decay over all steps of the run."""
        # Asking the Trainer would set up its data before a checkpoint could tell it where to go on.
        return make_optimizer(self, self._optimisation, len(self.train_dataloader()))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave frozen weights out."""
        checkpoint["state_dict"] = trainable(checkpoint["state_dict"], self)

    def _whole(self, items: Sequence[Item]) -> DataLoader[Any]:
        tokens = 2 * self._optimisation.batch_size * max((item.tokens for item in items), default=0)
        batches: Any = list(by_length([item.tokens for item in items], tokens))  # a list is dataset enough
        return DataLoader(batches, batch_size=None, collate_fn=lambda b: (b, gathered([items[i] for i in b])))

    def _keep(self, batch: tuple[list[int], Batch], items: Sequence[Item]) -> None:
        numbers, inner = batch
        outputs = self.outputs(inner).cpu()
        self._outputs |= dict(zip(numbers, _by_item(outputs, [items[i] for i in numbers]), strict=True))

    def _kept(self) -> list[Tensor]:
        outputs, self._outputs = self._outputs, {}
        return [outputs[i] for i in range(len(outputs))]


def gathered(items: Sequence[Item]) -> Batch:
    """Items as one batch."""
    slots = range(len(items[0].inputs))
    targets = torch.tensor([target for item in items for target in item.targets])
    inputs = [item.inputs[slot] for slot in slots for item in items]
    tokens = torch.tensor(sum(len(x.ids) for x in inputs))
    if items[0].features:
        return Batch(torch.cat([item.features[slot] for slot in slots for item in items]), targets, tokens)
    return Batch(collate(inputs), targets, tokens)


def _by_item(outputs: Tensor, items: Sequence[Item]) -> list[Tensor]:
    """Outputs of a batch, put back together item by item."""
    slots = range(len(items[0].inputs))
    pieces = torch.split(outputs, [len(item.inputs[slot].at) for slot in slots for item in items])
    return [torch.cat([pieces[slot * len(items) + i] for slot in slots]) for i in range(len(items))]
