"""What a way of training brings: its data, its module, its final numbers and the form in which its weights are kept.

`run.train` does the rest: identity, Trainer, checkpoints, resume, curve and run folder. A method is one yaml in
configs/method and one class here; its data are read when it is constructed, `prepare` encodes them and loads the model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import lightning as L
from torch import Tensor

from rewardlab.models.reward_prompt import Encoded, shortened
from rewardlab.training.intake import Intake

OverLong = Literal["drop", "truncate"]


class Method(Protocol):
    """A way of training."""

    name: str

    def prepare(self) -> L.LightningModule:
        """Encode the data, load the model and build the module.

        Raises:
            UserError: When data or model are missing, or too much of the data cannot be used.
        """
        ...

    def data(self) -> Mapping[str, Any]:
        """What the prepared data are, for the run identity; with a hash over all examples."""
        ...

    def counts(self) -> Mapping[str, Any]:
        """Examples kept, dropped and cut."""
        ...

    def outputs(self, module: L.LightningModule) -> Sequence[Mapping[str, Any]]:
        """What the trained module says of each example of the final numbers: rows without texts, kept by the run."""
        ...

    def evaluate(self, module: L.LightningModule) -> Mapping[str, float]:
        """The numbers of a trained module for metrics.json."""
        ...

    def save(self, folder: Path, module: L.LightningModule, weights: Mapping[str, Tensor]) -> None:
        """Save what was trained. `weights` is the module's whole state dict, also where it was sharded."""
        ...


def fitted(
    inputs: Sequence[Encoded], max_length: int, over_long: OverLong, intake: Intake, place: str
) -> tuple[Encoded, ...] | None:
    """The inputs of one example as training may use them, counted; None when the example is dropped.

    Args:
        inputs: Of one example.
        max_length: Most tokens of an input.
        over_long: What becomes of a longer one; an input is dropped all the same where cutting would lose a step.
        intake: Takes the counts.
        place: Where the example comes from.
    """
    cut = tuple(shortened(x, max_length) for x in inputs)
    if cut == tuple(inputs):
        return cut
    if over_long == "drop" or any(len(short.at) < len(x.at) for short, x in zip(cut, inputs, strict=True)):
        longest = max(len(x.ids) for x in inputs)
        intake.drop("too long", f"{place}: {longest} tokens, and max_length is {max_length}")
        return None
    intake.truncated += 1
    return cut


def digest(rows: object) -> str:
    """SHA-256 of the JSON text of JSON-like rows."""
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
