"""Runs a reward model for many judgments at once.

Inputs that judgments ask for at the same time are sorted by length and run in batches of a bounded number of tokens, in
a thread, so the event loop stays free. What an input is batched with changes its outputs by rounding only (below 1e-4
in fp32; the tests hold it to that).

A head that was trained on a frozen backbone takes the states that `frozen_features` keeps, so several such heads judge
the same candidates for the price of one. Tokens whose states were on the disk are counted as cached.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from rewardlab.errors import ModelError
from rewardlab.models.frozen_features import FrozenFeatures
from rewardlab.models.local import weights_sha256
from rewardlab.models.reward_checkpoint import LoadedRewardModel
from rewardlab.models.reward_model import by_length, collate
from rewardlab.models.reward_prompt import Encoded, RewardPrompt
from rewardlab.verdict import Status, Usage


class Read(NamedTuple):
    """What a model says of one input: outputs (positions x outputs) and what they cost."""

    outputs: tuple[tuple[float, ...], ...]
    usage: Usage


class RewardScorer:
    """A loaded reward model behind a queue.

    Args:
        loaded: The model.
        batch_tokens: Most tokens of a batch, padding included.
    """

    def __init__(self, loaded: LoadedRewardModel, batch_tokens: int = 4096) -> None:
        self._model, self._tokenizer, self.card = loaded
        self.prompt = RewardPrompt(self._tokenizer, self.card.step_tag)
        self._device = next(self._model.parameters()).device
        self._longest = int(getattr(self._model.backbone.config, "max_position_embeddings", 0) or 2**31)
        self._batch_tokens = batch_tokens
        self._frozen = FrozenFeatures(self._model) if self.card.tuning == "frozen" else None
        self._waiting: list[tuple[Encoded, asyncio.Future[Read]]] = []
        self._running: asyncio.Task[None] | None = None

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Name of the backbone, what of it was trained, and SHA-256 of all weights and of the chat template."""
        template = hashlib.sha256(str(self._tokenizer.chat_template).encode()).hexdigest()
        return {
            "backbone": self.card.backbone,
            "tuning": self.card.tuning,
            "weights_sha256": weights_sha256(self._model),
            "chat_template_sha256": template,
            "dtype": str(next(self._model.parameters()).dtype).removeprefix("torch."),
        }

    async def read(self, inputs: Sequence[Encoded]) -> list[Read]:
        """Outputs for inputs, in their order.

        Raises:
            ModelError: TRUNCATED when an input is longer than the model's context (nothing is ever cut),
                ENDPOINT_ERROR when the model failed, e.g. for lack of memory.
        """
        for x in inputs:
            if len(x.ids) > self._longest:
                message = f"{len(x.ids)} tokens, and the reward model reads {self._longest}"
                raise ModelError(Status.TRUNCATED, message, Usage())
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in inputs]
        self._waiting += zip(inputs, futures, strict=True)
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._work())
        return list(await asyncio.gather(*futures))

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # lets the other judgments of this moment queue theirs
            waiting, self._waiting = self._waiting, []
            for batch in by_length([len(x.ids) for x, _ in waiting], self._batch_tokens):
                inputs, futures = zip(*(waiting[i] for i in batch), strict=True)
                try:
                    reads = await asyncio.to_thread(self.run, inputs)
                except RuntimeError as error:  # torch reports exhausted memory and broken devices so
                    message = f"the reward model failed: {type(error).__name__}: {error}"
                    _settle(futures, [ModelError(Status.ENDPOINT_ERROR, message)] * len(futures))
                else:
                    _settle(futures, reads)

    @torch.inference_mode()
    def run(self, inputs: Sequence[Encoded]) -> list[Read]:
        """Outputs for one batch of inputs, at once and in this thread."""
        started = time.perf_counter()
        known = self._frozen.known(inputs) if self._frozen else frozenset()
        outputs = self._outputs(inputs).float().tolist()
        seconds = (time.perf_counter() - started) / len(inputs)
        reads, start = [], 0
        for x in inputs:
            rows = outputs[start : start + len(x.at)]
            start += len(x.at)
            cached = len(x.ids) if x in known else 0
            usage = Usage(calls=1, prompt_tokens=len(x.ids), cached_tokens=cached, seconds=seconds)
            reads.append(Read(tuple(map(tuple, rows)), usage))
        return reads

    def _outputs(self, inputs: Sequence[Encoded]) -> Tensor:
        """Outputs of inputs below one another."""
        if self._frozen:
            states = torch.cat(self._frozen.states(inputs, show=False))
            outputs: Tensor = self._model.head(states.to(next(self._model.head.parameters())))
        else:
            batch = collate(inputs)
            outputs = self._model(type(batch)(*(t.to(self._device) for t in batch)))
        return outputs


def _settle(futures: Sequence[asyncio.Future[Read]], results: Sequence[Read | ModelError]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():  # the caller has gone away
            continue
        if isinstance(result, ModelError):
            future.set_exception(result)
        else:
            future.set_result(result)
