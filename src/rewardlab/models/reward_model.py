"""A reward model: a transformer without its language head, and a small head that is read at chosen tokens.

The scalar head gives one number at the last token of a conversation, the process head two logits (wrong, right) at the
tag behind every step. Which tokens are read is a mask made from the attention mask and never from token ids, so a pad
token that is also the end token, or an end token inside the chat template, changes nothing; and position ids count real
tokens, so neither batch size nor padding side does. Saving and loading is `reward_checkpoint`'s.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from rewardlab.models.reward_prompt import Encoded

Head = Literal["scalar", "process"]

_WORTHWHILE = 0.05  # share of a batch's places that common beginnings must save


class RewardBatch(NamedTuple):
    """Padded inputs; all three are (rows, columns).

    Attributes:
        ids: Token ids.
        mask: 1 at real tokens, 0 at padding.
        read: True at the tokens at which the model is read.
    """

    ids: Tensor
    mask: Tensor
    read: Tensor


class RewardModel(nn.Module):
    """A backbone and a head.

    Args:
        backbone: From ids to `last_hidden_state` (rows, columns, width).
        head: From (n, width) to (n, outputs).
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def hidden(self, batch: RewardBatch) -> Tensor:
        """Hidden states (n, width) at the n tokens that are read, row by row."""
        return hidden_states(self.backbone, batch)

    def forward(self, batch: RewardBatch) -> Tensor:
        """Outputs (n, outputs) at the n tokens that are read, row by row."""
        outputs: Tensor = self.head(self.hidden(batch).to(next(self.head.parameters()).dtype))
        return outputs


class Beginnings(NamedTuple):
    """What texts of a batch begin with alike, all cut to one length.

    Attributes:
        length: In tokens.
        rows: A row of the batch for each different beginning.
        of: For each row of the batch, which of these its own is (rows of the batch).
    """

    length: int
    rows: Tensor
    of: Tensor

    @property
    def saved(self) -> int:
        """Tokens that need not be computed again."""
        return self.length * (len(self.of) - len(self.rows))


def hidden_states(backbone: nn.Module, batch: RewardBatch) -> Tensor:
    """Hidden states (n, width) at the n tokens that are read, row by row.

    What several texts begin with, such as the question of a pair, is computed once, with gradients where these flow.

    Args:
        backbone: From ids to `last_hidden_state`, causal or not.
        batch: Padded on either side.
    """
    if "position_ids" not in inspect.signature(innermost(backbone).forward).parameters:
        states = backbone(input_ids=batch.ids, attention_mask=batch.mask)
        return states.last_hidden_state[batch.read]  # type: ignore[no-any-return]
    begun = beginnings(batch)
    if begun.saved and _is_causal(backbone):
        past = backbone(input_ids=batch.ids[begun.rows, : begun.length], use_cache=True).past_key_values
        if type(past) is DynamicCache:  # others hold more than keys and values
            past.batch_select_indices(begun.of)
            rest = batch.ids[:, begun.length :]
            states = backbone(input_ids=rest, attention_mask=batch.mask, past_key_values=past, use_cache=True)
            return states.last_hidden_state[batch.read[:, begun.length :]]  # type: ignore[no-any-return]
    positions = {}
    if not bool(batch.mask[:, 0].all()):  # padded on the left
        positions = {"position_ids": (batch.mask.cumsum(-1) - 1).clamp(min=0)}
    states = backbone(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False, **positions)
    return states.last_hidden_state[batch.read]  # type: ignore[no-any-return]


def _is_causal(backbone: nn.Module) -> bool:
    """Whether every attention of a transformer looks back only."""
    looks_back = [module.is_causal for module in backbone.modules() if hasattr(module, "is_causal")]
    return bool(looks_back) and all(looks_back)


def beginnings(batch: RewardBatch) -> Beginnings:
    """The common beginnings that save most, without padding and tokens that are read; empty ones if that is too little.

    >>> ids = torch.tensor([[0, 1, 2, 5], [0, 3, 4, 5], [0, 1, 2, 6], [0, 3, 4, 6]])
    >>> found = beginnings(RewardBatch(ids, torch.ones_like(ids), ids > 4))  # two answers to each of two questions
    >>> found.length, found.rows.tolist(), found.of.tolist(), found.saved
    (3, [0, 1], [0, 1, 0, 1], 6)
    """
    free = ((batch.mask == 1) & ~batch.read).all(0).cumprod(0).bool()
    ids = batch.ids[:, free]
    alike = (ids[:, None] == ids[None]).cumprod(-1, dtype=torch.int8).sum(-1)  # tokens that each two rows begin with
    lengths = torch.unique(alike)
    first = (alike >= lengths[:, None, None]).int().argmax(-1)  # the first row that begins like each one
    saved = lengths * (first != torch.arange(len(ids), device=ids.device)).sum(-1)
    length = int(lengths[saved.argmax()]) if saved.max() > _WORTHWHILE * batch.ids.numel() else 0
    rows, of = torch.unique((alike >= length).int().argmax(1), return_inverse=True)
    return Beginnings(length, rows, of)


def last_real_token(mask: Tensor) -> Tensor:
    """True at the last token of each row that is no padding, on whichever side the padding is.

    Args:
        mask: (rows, columns), 1 at real tokens.

    >>> last_real_token(torch.tensor([[1, 1, 0], [0, 1, 1]])).int().tolist()
    [[0, 1, 0], [0, 0, 1]]
    """
    columns = torch.arange(mask.shape[1], device=mask.device)
    return columns == (mask * (columns + 1)).amax(-1, keepdim=True) - 1


def collate(inputs: Sequence[Encoded], pad: int = 0) -> RewardBatch:
    """Inputs as one batch, padded on the right.

    Args:
        inputs: At least one.
        pad: The id at padded places, which nothing reads.
    """
    columns = max(len(x.ids) for x in inputs)
    ids = torch.full((len(inputs), columns), pad)
    mask = torch.zeros_like(ids)
    read = torch.zeros_like(ids, dtype=torch.bool)
    for row, x in enumerate(inputs):
        ids[row, : len(x.ids)] = torch.tensor(x.ids)
        mask[row, : len(x.ids)] = 1
        read[row, list(x.at)] = True
    return RewardBatch(ids, mask, read)


def by_length(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Indices in batches of similar lengths, longest first, so that a batch too large for the memory fails at once.

    Args:
        lengths: Length of each input.
        tokens: Most tokens of a batch, padding included; a longer input is a batch of its own.

    >>> list(by_length([2, 9, 3, 3], tokens=8))
    [[1], [2, 3], [0]]
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def make_head(head: Head, width: int) -> nn.Module:
    """A fresh head: linear without bias (scalar), or two layers as in Qwen2.5-Math-PRM (arXiv 2501.07301)."""
    if head == "scalar":
        linear = nn.Linear(width, 1, bias=False)
        nn.init.normal_(linear.weight, std=1 / (width + 1) ** 0.5)
        return linear
    return two_layers(width, 2)


def two_layers(width: int, outputs: int) -> nn.Module:
    """A head of two layers."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs))


def innermost(backbone: nn.Module) -> Any:
    """The transformer inside a PeftModel, or the module itself."""
    return backbone.get_base_model() if hasattr(backbone, "get_base_model") else backbone  # type: ignore[operator]
