"""Sampling rollouts of a policy in groups, with the log-probability of every token.

All rollouts of a batch decode in step, which for short answers to a few prompts is the fastest way on any device. Each
prompt is computed once and its keys and values are handed to all of its rollouts; rows that have ended are taken out.

Every rollout draws from a random stream of its own, so what it says does not depend on what it is batched with, up to
the rounding of differently shaped matrix products; equal batches give equal rollouts. Log-probabilities are those of
the distribution that was drawn from: the logits over the temperature, without any truncation of its tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerFast

from rewardlab.models.local import end_tokens
from rewardlab.policy.reward import Rollout

_SPARSE = 8  # rows are taken out once more than one in so many has ended


class Sampled(NamedTuple):
    """One rollout.

    Attributes:
        tokens: What the policy drew; the token that ended the turn is one of them.
        logprobs: Of each token.
        rollout: The text, and whether it was cut.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    rollout: Rollout


@dataclass(frozen=True, slots=True)
class Decoding:
    """How rollouts are drawn.

    Attributes:
        max_tokens: Most tokens of one.
        temperature: Divides the logits; 0 takes the most likely token.
        batch_size: Rollouts that decode in step.
    """

    max_tokens: int
    temperature: float = 1.0
    batch_size: int = 128


class Sampler:
    """Draws rollouts.

    Args:
        model: A causal language model in evaluation mode; its weights may change between two calls.
        tokenizer: Its tokenizer.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._ends = torch.tensor(end_tokens(model, tokenizer))

    def groups(
        self, prompts: Sequence[Sequence[int]], rngs: Sequence[Sequence[np.random.Generator]], decoding: Decoding
    ) -> list[list[Sampled]]:
        """Rollouts of several prompts.

        Args:
            prompts: Token ids; none is empty.
            rngs: For each prompt one generator a rollout, the same number for all.
            decoding: How.

        Returns:
            For each prompt its rollouts.
        """
        count = len(rngs[0]) if rngs else 0
        size = max(1, decoding.batch_size // max(1, count))
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # little padding
        found: dict[int, list[Sampled]] = {}
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            uniform = np.stack([rng.random(decoding.max_tokens) for i in chosen for rng in rngs[i]])
            drawn = self._decode([prompts[i] for i in chosen], count, torch.from_numpy(uniform), decoding)
            for place, i in enumerate(chosen):
                found[i] = drawn[place * count : (place + 1) * count]
        return [found[i] for i in range(len(prompts))]

    @torch.inference_mode()
    def _decode(
        self, prompts: Sequence[Sequence[int]], count: int, uniform: Tensor, decoding: Decoding
    ) -> list[Sampled]:
        """Rollouts of prompts side by side; `uniform` is (rollouts, tokens)."""
        device, width = self._model.device, max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts], device=device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
        cache = DynamicCache(config=self._model.config)
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        logits = self._step(ids, mask, places, cache).repeat_interleave(count, 0)
        cache.batch_repeat_interleave(count)
        mask = mask.repeat_interleave(count, 0)
        rows, uniform, ends = torch.arange(len(logits), device=device), uniform.to(device), self._ends.to(device)
        tokens = torch.zeros(len(rows), decoding.max_tokens, dtype=torch.long, device=device)
        logprobs = torch.zeros(len(rows), decoding.max_tokens, device=device)
        lengths = torch.full((len(rows),), decoding.max_tokens, device=device)
        for place in range(decoding.max_tokens):
            token, logprob = draw(logits, uniform[rows, place], decoding.temperature)
            tokens[rows, place], logprobs[rows, place] = token, logprob
            ended = torch.isin(token, ends)
            lengths[rows[ended]] = torch.clamp(lengths[rows[ended]], max=place + 1)  # what a dead row draws is nothing
            running = lengths[rows] > place + 1
            if not running.any() or place + 1 == decoding.max_tokens:
                break
            if (~running).sum() * _SPARSE >= len(rows):
                rows, token, mask = rows[running], token[running], mask[running]
                cache.batch_select_indices(running.nonzero()[:, 0])
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], 1)
            logits = self._step(token[:, None], mask, mask.sum(-1, keepdim=True) - 1, cache)
        return [
            self._sampled(of[:length], values[:length])
            for of, values, length in zip(tokens.tolist(), logprobs.tolist(), lengths.tolist(), strict=True)
        ]

    def _step(self, ids: Tensor, mask: Tensor, places: Tensor, cache: DynamicCache) -> Tensor:
        """Logits (rows, vocabulary) after the last token of each row."""
        output = self._model(
            input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, logits_to_keep=1
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def _sampled(self, tokens: list[int], logprobs: list[float]) -> Sampled:
        truncated = tokens[-1] not in self._ends.tolist()
        text = str(self._tokenizer.decode(tokens, skip_special_tokens=True))
        return Sampled(tuple(tokens), tuple(logprobs), Rollout(text, truncated))


def draw(logits: Tensor, uniform: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """One token a row, by inverting the distribution function, and its log-probability.

    Args:
        logits: (rows, vocabulary), fp32.
        uniform: (rows,) in [0, 1), fp64.
        temperature: At least 0; 0 takes the most likely token, with its log-probability at temperature 1.

    >>> token, logprob = draw(torch.tensor([[0.0, 0.0]]), torch.tensor([0.7], dtype=torch.double), 1.0)
    >>> int(token), round(float(logprob), 3)
    (1, -0.693)
    """
    logprobs = torch.log_softmax(logits / (temperature or 1.0), -1)
    if temperature == 0:
        token = logits.argmax(-1)
    else:
        below = logprobs.double().exp().cumsum(-1)
        wanted = (uniform * below[:, -1])[:, None]
        token = torch.searchsorted(below, wanted, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)
    return token, logprobs.gather(1, token[:, None])[:, 0]


def offsets(tokenizer: PreTrainedTokenizerFast, sampled: Sampled) -> list[tuple[int, int]]:
    """Where each token stands in the rollout's text: its first character and the one behind its last.

    A token that is part of a character ends where the text so far ends.
    """
    text, tokens = sampled.rollout.text, list(sampled.tokens)
    pieces = [str(tokenizer.decode([token], skip_special_tokens=True)) for token in tokens]
    if "".join(pieces) == text:
        ends = np.cumsum([len(piece) for piece in pieces]).tolist()
    else:
        ends = [
            min(len(text), len(tokenizer.decode(tokens[: i + 1], skip_special_tokens=True))) for i in range(len(tokens))
        ]
    return list(zip([0, *ends[:-1]], ends, strict=True))
