"""How fast a session trains: real tokens, padding left out, by seconds of training steps without validation.

On a terminal Lightning's bar shows how far a run is; where stderr is a file, as under a batch system, a line a minute.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import lightning as L


class Speed(L.Callback):
    """Times training steps.

    Args:
        tell_every: Seconds between two lines on how far the run is, where stderr is no terminal.

    Attributes:
        steps: Optimiser steps of this session.
    """

    def __init__(self, tell_every: float = 60.0) -> None:
        self._tell_every = tell_every
        self._since = self._told = time.perf_counter()
        self.steps = 0
        self._seconds = 0.0
        self._tokens = 0
        self._began = 0.0
        self._before = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the watch of the session, which what a loader makes and validation count in."""
        self._since = self._told = time.perf_counter()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Start the watch."""
        self._began = time.perf_counter()
        self._before = trainer.global_step

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop the watch."""
        self._tokens += int(batch.tokens)  # waits for the device
        self._seconds += time.perf_counter() - self._began
        self.steps += trainer.global_step - self._before
        if not sys.stderr.isatty() and trainer.is_global_zero and time.perf_counter() - self._told >= self._tell_every:
            self._told = time.perf_counter()
            self._tell(trainer)

    def _tell(self, trainer: L.Trainer) -> None:
        total = int(trainer.estimated_stepping_batches)
        left = (self._told - self._since) / max(1, self.steps) * (total - trainer.global_step)
        rate = self.report()["tokens_per_second"]
        done = f"step {trainer.global_step} of {total}"
        sys.stderr.write(f"{done}, {rate:.0f} tokens/s, {left / 60:.0f} min left\n")
        sys.stderr.flush()

    def report(self) -> dict[str, float]:
        """Tokens, seconds and tokens a second of this session and process."""
        rate = self._tokens / self._seconds if self._seconds else 0.0
        return {"tokens": self._tokens, "seconds": round(self._seconds, 3), "tokens_per_second": round(rate, 1)}
