"""One forward pass over many token sequences at once, without padding.

The new tokens of all sequences lie behind one another in a single row: every matrix product sees exactly the tokens
that there are, and only attention, which mixes tokens, goes sequence by sequence against that sequence's own keys and
values. So there is no padding, no padding side and no bucketing by length; a sequence gets the same result (up to the
rounding of differently shaped matrix products, about 1e-5 in fp32) whatever it is batched with, and prompts, single
decoding steps and scored continuations mix in one pass. `logprobs` runs whole sequences the same way with gradients, so
that many answers to one prompt train on one pass over the prompt.

It hooks into transformers' attention interface, so it works for every causal model whose attention goes through that
interface and is plain or sliding-window softmax attention. `adopt` checks this by running the model both ways. State
space layers, linear attention, ALiBi and soft-capped attention are refused there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from rewardlab.errors import UserError

ATTENTION = "rewardlab_packed"
GROWTH = 128  # tokens by which a full buffer grows at least

Ids = NDArray[np.int64]
Group = tuple[Sequence[int], Sequence[Sequence[int]]]  # a prompt's tokens and those of its continuations


class KeyValues:
    """The keys and values of one token sequence at all layers, in buffers with room to grow.

    Attributes:
        ids: The tokens that the first `len(ids)` places of the buffers belong to.
        capacity: Tokens for which there is room.
    """

    def __init__(self, capacity: int) -> None:
        self.ids: Ids = np.empty(0, np.int64)
        self.capacity = capacity
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    @property
    def nbytes(self) -> int:
        """Size of the buffers."""
        return sum(k.nbytes + v.nbytes for k, v in self._layers.values())

    def fork(self, length: int, capacity: int) -> KeyValues:
        """A sequence of its own that begins with the first `length` tokens of this one."""
        child = KeyValues(max(capacity, length))
        child.ids = self.ids[:length]
        child._layers = {i: (_resized(k, length, child.capacity), _resized(v, length, child.capacity))
                         for i, (k, v) in self._layers.items()}  # fmt: skip
        return child

    def reserve(self, tokens: int) -> None:
        """Make room for that many tokens in all."""
        if tokens > self.capacity:
            self.capacity = max(tokens, self.capacity + max(GROWTH, self.capacity // 2))
            for i, (k, v) in self._layers.items():
                self._layers[i] = (
                    _resized(k, len(self.ids), self.capacity),
                    _resized(v, len(self.ids), self.capacity),
                )

    def extended(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write new keys and values (1, heads, new, dim) behind the known ones and return all of them."""
        start = len(self.ids)
        end = start + key.shape[2]
        if layer not in self._layers:
            self._layers[layer] = (_resized(key, 0, self.capacity), _resized(value, 0, self.capacity))
        keys, values = self._layers[layer]
        keys[:, :, start:end] = key
        values[:, :, start:end] = value
        return keys[:, :, :end], values[:, :, :end]


def _resized(old: torch.Tensor, keep: int, capacity: int) -> torch.Tensor:
    new = old.new_empty((*old.shape[:2], capacity, old.shape[3]))
    new[:, :, :keep] = old[:, :, :keep]
    return new


@dataclass(slots=True)
class Segment:
    """The new tokens of one sequence in one forward pass.

    Attributes:
        past: The sequence so far. The caller adds the new tokens to `past.ids` once the pass has succeeded. None for a
            whole sequence of which nothing is kept, the only kind that gradients flow through.
        trunk: The tokens that continue it.
        branches: Alternative continuations of past + trunk; each sees these two and itself, not the others.
        last: Whether the logits after the trunk's last token are wanted. Those within branches always are.
    """

    past: KeyValues | None
    trunk: Sequence[int]
    branches: Sequence[Sequence[int]] = ()
    last: bool = True
    _masks: dict[int | None, torch.Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trunk) + sum(map(len, self.branches))

    @property
    def known(self) -> int:
        """Tokens of the sequence so far."""
        return len(self.past.ids) if self.past else 0

    @property
    def ids(self) -> list[int]:
        """All new tokens, the trunk first."""
        return [*self.trunk, *(i for branch in self.branches for i in branch)]

    @property
    def positions(self) -> list[int]:
        """The place of each new token in its own sequence."""
        start = self.known
        fork = start + len(self.trunk)
        return [*range(start, fork), *(fork + i for branch in self.branches for i in range(len(branch)))]

    @property
    def wanted(self) -> range:
        """Which of the new tokens need logits."""
        return range(len(self.trunk) - self.last, len(self))

    def mask(self, window: int | None, like: torch.Tensor) -> torch.Tensor | None:
        """What may be attended to, (new, past + new), added to the scores; None for plain causal attention."""
        if window is not None and window >= self.known + len(self):
            window = None
        if window is None and not self.branches and (len(self) == 1 or not self.known):
            return None
        if window not in self._masks:
            self._masks[window] = self._mask(window, like)
        return self._masks[window]

    def _mask(self, window: int | None, like: torch.Tensor) -> torch.Tensor:
        past = self.known
        query = torch.tensor(self.positions)[:, None]
        key = torch.cat([torch.arange(past), query[:, 0]])[None]
        owner = torch.tensor([0] * (past + len(self.trunk)) + [n for n, b in enumerate(self.branches, 1) for _ in b])
        seen = (key <= query) & ((owner[None] == 0) | (owner[None] == owner[past:, None]))
        if window is not None:
            seen &= query - key < window
        return torch.zeros(seen.shape).masked_fill(~seen, -torch.inf).to(like)


def forward(model: PreTrainedModel, segments: Sequence[Segment]) -> torch.Tensor:
    """Run the model on the new tokens of several sequences.

    Args:
        model: One that `adopt` has accepted, in evaluation mode.
        segments: At least one, each of another sequence and with room reserved for its tokens.

    Returns:
        fp32 logits (rows, vocabulary) of the wanted tokens only, segment after segment.
    """
    with torch.inference_mode():
        return _logits(model, segments)


def logprobs(model: PreTrainedModel, groups: Sequence[Group], temperature: float = 1.0) -> list[torch.Tensor]:
    """Log-probability of every token of continuations of prompts, with gradients where these are enabled.

    Each prompt runs once for all of its continuations.

    Args:
        model: One that `adopt` has accepted.
        groups: At least one; no prompt and no continuation is empty.
        temperature: Divides the logits.

    Returns:
        For each continuation, group after group, a tensor (tokens,) in fp32.
    """
    segments = [Segment(None, prompt, [c[:-1] for c in answers if len(c) > 1]) for prompt, answers in groups]
    found = torch.log_softmax(_logits(model, segments) / temperature, -1)
    rows: list[int] = []
    start = 0
    for segment, (_, answers) in zip(segments, groups, strict=True):
        rows += [start + row for answer in logit_rows(answers) for row in answer]
        start += len(segment.wanted)
    every = [answer for _, answers in groups for answer in answers]
    chosen = found[rows, [token for answer in every for token in answer]]
    return list(torch.split(chosen, [len(answer) for answer in every]))


def logit_rows(continuations: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each token of each continuation, which wanted row of their segment gives its log-probability.

    The segment's branches are the continuations without their last tokens, which nothing follows.

    >>> logit_rows([[7, 8, 9], [5], [7, 6]])
    [[0, 1, 2], [0], [0, 3]]
    """
    rows, start = [], 1
    for tokens in continuations:
        rows.append([0, *range(start, start + len(tokens) - 1)])
        start += len(tokens) - 1
    return rows


def _logits(model: PreTrainedModel, segments: Sequence[Segment]) -> torch.Tensor:
    device = model.device
    starts = np.cumsum([0, *map(len, segments)])
    rows = [start + row for start, segment in zip(starts, segments, strict=False) for row in segment.wanted]
    output = model(
        input_ids=torch.tensor([[i for s in segments for i in s.ids]], device=device),
        position_ids=torch.tensor([[p for s in segments for p in s.positions]], device=device),
        attention_mask=torch.empty(1, 1, 1, 1, device=device),  # a ready mask: transformers builds none
        use_cache=False,
        logits_to_keep=torch.tensor(rows, dtype=torch.long, device=device),
        packed_segments=segments,
    )
    logits: torch.Tensor = output.logits[0].float()
    return logits


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    packed_segments: Sequence[Segment] | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    if packed_segments is None:  # an ordinary forward, e.g. in training
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, sliding_window=sliding_window, **kwargs
        )
    heads, kv_heads = query.shape[1], key.shape[1]
    output = query.new_empty((1, query.shape[2], heads, value.shape[3]))
    start = 0
    for segment in packed_segments:
        end = start + len(segment)
        keys, values = key[:, :, start:end], value[:, :, start:end]
        if segment.past:
            keys, values = segment.past.extended(module.layer_idx, keys, values)  # type: ignore[arg-type]
        mask = segment.mask(sliding_window, query)
        if end - start == 1:
            # The heads that share keys become the query rows of one head: no key is read or copied twice.
            grouped = query[:, :, start].view(1, kv_heads, heads // kv_heads, -1)
            found = scaled_dot_product_attention(grouped, keys, values, attn_mask=mask, scale=scaling)
            output[:, start] = found.reshape(1, heads, -1)
        else:
            found = scaled_dot_product_attention(
                query[:, :, start:end], keys, values,
                attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=heads != kv_heads,
            )  # fmt: skip
            output[:, start:end] = found.transpose(1, 2)
        start = end
    return output, None


AttentionInterface.register(ATTENTION, _attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)


def adopt(model: PreTrainedModel) -> PreTrainedModel:
    """Prepare a model for packed forward passes; ordinary ones work as before, with sdpa attention.

    Args:
        model: A causal language model. Of a PEFT model, the base model that carries the adapter is used.

    Returns:
        The model to hand to `forward`.

    Raises:
        UserError: When packed and ordinary passes disagree, so that the model's attention is not supported.
    """
    unwrap = getattr(model, "get_base_model", None)
    model = unwrap() if unwrap else model
    refusal = f"{type(model).__name__} cannot run in packed batches"
    ids = [3 + 5 * i % 61 for i in range(12)]
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            expected = model(input_ids=torch.tensor([ids], device=model.device)).logits[0, -1].float()
        model.set_attn_implementation(ATTENTION)
        state = KeyValues(len(ids))
        forward(model, [Segment(state, ids[:7])])
        state.ids = np.array(ids[:7])
        found = forward(model, [Segment(state, ids[7:])])[0]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{refusal}: {error}. Serve it and use an endpoint instead.") from error
    finally:
        model.train(training)
    # Loose enough for bf16, and far below what a mistaken mask or a lost state makes.
    if not (found - expected).norm() <= 0.05 * expected.norm():
        raise UserError(f"{refusal}: its attention is not plain softmax. Serve it and use an endpoint instead.")
    return model
