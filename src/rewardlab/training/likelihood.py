"""A causal language model, read as the log-probabilities that it gives to chosen tokens of a text.

Logits are computed only where they are read, by the model's own decoder and output layer. A model that does something
to them afterwards (soft caps, scales) is refused.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rewardlab.errors import UserError
from rewardlab.models.reward_model import RewardBatch, hidden_states, innermost


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
        logits = self._causal.get_output_embeddings()(hidden_states(self._causal.get_decoder(), batch)).float()
        following = batch.ids.roll(-1, 1)[batch.read]
        found = logits.log_softmax(-1).gather(1, following[:, None])[:, 0]
        return torch.stack([found, (logits.argmax(-1) == following).float()], 1)

    @property
    def _causal(self) -> Any:
        return innermost(self.model)

    @torch.no_grad()
    def _check(self) -> None:
        ids = torch.arange(4)[None]
        whole = self.model(input_ids=ids, use_cache=False).logits
        states = self._causal.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
        if not torch.allclose(whole, self._causal.get_output_embeddings()(states), atol=1e-4):
            raise UserError(
                f"{type(self._causal).__name__} changes its logits behind the output layer, and cannot be tuned here"
            )
