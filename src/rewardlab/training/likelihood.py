"""A causal language model, read as the log-probabilities that it gives to chosen tokens of a text.

A judge's prompts all begin with the same system message and the same skill, often longer than what follows. The tokens
with which all texts of a batch begin are therefore computed once, and every text goes on from their keys and values;
gradients flow back through them from all texts. The result is that of computing each text by itself, up to rounding.

Logits are computed only where they are read, by the model's own decoder and output layer. A model that does something
to them afterwards (soft caps, scales) is refused.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rewardlab.errors import UserError
from rewardlab.models.reward_model import RewardBatch, innermost

_WORTHWHILE = 16  # tokens of a shared beginning


class Likelihood(nn.Module):
    """Reads a causal language model.

    Args:
        model: From token ids to logits, with or without a PEFT adapter around it.

    Raises:
        UserError: When the logits are not the output layer's.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._check()

    def forward(self, batch: RewardBatch) -> Tensor:
        """Log-probability of the token behind each one that is read, and whether it is the likeliest, as (n, 2).

        Args:
            batch: Padded on the right; `read` is False at the last token of each text.
        """
        logits = self._causal.get_output_embeddings()(self._hidden(batch)).float()
        following = batch.ids.roll(-1, 1)[batch.read]
        found = logits.log_softmax(-1).gather(1, following[:, None])[:, 0]
        return torch.stack([found, (logits.argmax(-1) == following).float()], 1)

    @property
    def _causal(self) -> Any:
        return innermost(self.model)

    def _hidden(self, batch: RewardBatch) -> Tensor:
        """Hidden states (n, width) at the tokens that are read, row by row."""
        decoder, rows = self._causal.get_decoder(), len(batch.ids)
        shared = shared_beginning(batch)
        if rows == 1 or shared < _WORTHWHILE:
            states = decoder(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
            return states.last_hidden_state[batch.read]  # type: ignore[no-any-return]
        past = decoder(input_ids=batch.ids[:1, :shared], use_cache=True).past_key_values
        past.batch_repeat_interleave(rows)
        states = decoder(
            input_ids=batch.ids[:, shared:], attention_mask=batch.mask, past_key_values=past, use_cache=True
        )
        return states.last_hidden_state[batch.read[:, shared:]]  # type: ignore[no-any-return]

    @torch.no_grad()
    def _check(self) -> None:
        ids = torch.arange(4)[None]
        whole = self.model(input_ids=ids, use_cache=False).logits
        states = self._causal.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
        if not torch.allclose(whole, self._causal.get_output_embeddings()(states), atol=1e-4):
            raise UserError(
                f"{type(self._causal).__name__} changes its logits behind the output layer, and cannot be tuned here"
            )


def shared_beginning(batch: RewardBatch) -> int:
    """How many tokens all texts of a batch begin with alike, none of them one that is read.

    >>> ids, read = torch.tensor([[7, 7, 3, 4], [7, 7, 5, 0]]), torch.tensor([[0, 0, 1, 0], [0, 0, 1, 0]]).bool()
    >>> shared_beginning(RewardBatch(ids, torch.ones_like(ids), read))
    2
    """
    differs = (batch.ids != batch.ids[:1]).any(0) | (batch.mask == 0).any(0) | batch.read.any(0)
    return int(differs.int().argmax()) if bool(differs.any()) else 0
