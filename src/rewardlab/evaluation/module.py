"""`JudgeModule`: a judge under Lightning's Trainer.

A test step hands its batch to the dispatcher and returns; the end of the epoch waits for what is in flight. With
several devices every rank judges its share of the presentations, none twice, and waits at the end for the others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta

import lightning as L
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data import DataLoader, Dataset

from rewardlab.evaluation.dispatcher import Dispatcher
from rewardlab.evaluation.plan import Presentation
from rewardlab.evaluation.stop import StopSignals

PATIENCE = timedelta(days=30)  # for the process that is last; torch's own half an hour would end a long run


class Presentations(Dataset[Presentation]):
    """The plan as a dataset."""

    def __init__(self, plan: Sequence[Presentation]) -> None:
        self._plan = plan

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, index: int) -> Presentation:
        return self._plan[index]


class JudgeModule(L.LightningModule):
    """Judges presentations; it has no weights of its own.

    Args:
        dispatcher: Runs the judgments.
        plan: What to judge, over all ranks.
        batch_size: Presentations handed over at a time.
    """

    def __init__(self, dispatcher: Dispatcher, plan: Sequence[Presentation], batch_size: int) -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._plan = plan
        self._batch_size = batch_size
        self._signals = StopSignals(dispatcher)

    def test_dataloader(self) -> DataLoader[Presentation]:
        """This rank's share, in plan order. Lightning's own sampler would repeat some to make the shares equal."""
        share = self._plan[self.global_rank :: self.trainer.world_size]
        return DataLoader(Presentations(share), batch_size=self._batch_size, shuffle=False, collate_fn=list)

    def transfer_batch_to_device(
        self, batch: list[Presentation], device: torch.device, dataloader_idx: int
    ) -> list[Presentation]:
        """Presentations are text and stay where they are."""
        return batch

    def on_test_start(self) -> None:
        """Listen for signals, after Lightning has put its own handlers in place."""
        self._signals.install()

    def test_step(self, batch: list[Presentation], batch_idx: int) -> None:
        """Hand the batch over."""
        self._dispatcher.submit(batch)

    def on_test_epoch_end(self) -> None:
        """Wait for the last judgment of all ranks."""
        self._dispatcher.drain()
        self._signals.restore()
        self.trainer.strategy.barrier()


def trainer(devices: int) -> L.Trainer:
    """A Trainer that runs a judge: no logger, no checkpoints, no bar of its own.

    Args:
        devices: Processes; models are placed by their own settings, so this is about the CPU side.
    """
    return L.Trainer(
        accelerator="cpu",
        devices=devices,
        strategy=DDPStrategy(process_group_backend="gloo", timeout=PATIENCE) if devices > 1 else "auto",
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def rank() -> int:
    """Which process of a run this is; 0 for the one that the user started."""
    return int(os.environ.get("LOCAL_RANK", "0"))
