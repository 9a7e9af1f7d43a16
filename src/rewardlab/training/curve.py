"""The learning curve: every number that a training logs, by step.

The curve is part of the checkpoint, so that of a resumed run is that of an unbroken one. A number that a step does not
have is logged as NaN, else Lightning would show that of an earlier step, and is no point of the curve.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import lightning as L


class Curve(L.Callback):
    """Collects logged numbers.

    Args:
        every: Steps between two training points; validation points are all kept.

    Attributes:
        points: {"step", "name", "value"} in the order of logging.
    """

    def __init__(self, every: int = 1) -> None:
        self._every = every
        self.points: list[dict[str, Any]] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the training numbers of a step."""
        new_step = not self.points or self.points[-1]["step"] != trainer.global_step
        if trainer.global_step % self._every == 0 and new_step:
            names = [name for name in trainer.callback_metrics if name.startswith("train/")]
            self._keep(trainer.global_step, {name: trainer.callback_metrics[name] for name in names})

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the validation numbers."""
        if not any(p["step"] == trainer.global_step and p["name"].startswith("validation/") for p in self.points):
            names = [name for name in trainer.callback_metrics if name.startswith("validation/")]
            self._keep(trainer.global_step, {name: trainer.callback_metrics[name] for name in names})

    def state_dict(self) -> dict[str, Any]:
        """The curve so far."""
        return {"points": self.points}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The curve up to a checkpoint."""
        self.points = state_dict["points"]

    def last(self, name: str) -> float | None:
        """The latest value under a name."""
        return next((point["value"] for point in reversed(self.points) if point["name"] == name), None)

    def _keep(self, step: int, values: Mapping[str, Any]) -> None:
        known = {name: float(value) for name, value in sorted(values.items()) if not math.isnan(value)}
        self.points += [{"step": step, "name": name, "value": value} for name, value in known.items()]
