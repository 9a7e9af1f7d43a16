"""The loss of GRPO (DeepSeekMath, arXiv 2402.03300, section 4.1) over tokens that lie behind one another in one row.

A token's loss is the clipped surrogate of PPO plus `kl` times the k3 estimate of KL(policy || reference),
exp(ref - new) - (ref - new) - 1 (Schulman, "Approximating KL divergence"). Weights say how tokens are averaged: over
all tokens of a batch alike, or first within each rollout. The ratio may be that of a whole rollout, the geometric mean
of its tokens' ratios (GSPO, arXiv 2507.18071, Eq. 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Level = Literal["token", "sequence"]


@dataclass(frozen=True, slots=True)
class Objective:
    """What is minimised.

    Attributes:
        clip_low: The ratio counts no less than 1 - clip_low where that would help.
        clip_high: The ratio counts no more than 1 + clip_high where that would help.
        kl: Weight of the distance to the reference; 0 for none, which needs no reference.
        mean: "token": every token of a batch weighs the same; "sequence": every rollout does.
        ratio: "token", or "sequence" for one ratio a rollout.
    """

    clip_low: float = 0.2
    clip_high: float = 0.2
    kl: float = 0.0
    mean: Level = "token"
    ratio: Level = "token"


class Tokens(NamedTuple):
    """Rollouts as one row of tokens.

    Attributes:
        lengths: Tokens of each rollout.
        old: Log-probabilities (tokens,) under the policy that drew them.
        reference: Under the reference; empty where there is none.
        advantages: (tokens,).
        weights: (tokens,); those of a whole batch add up to 1.
    """

    lengths: Sequence[int]
    old: Tensor
    reference: Tensor
    advantages: Tensor
    weights: Tensor


class Loss(NamedTuple):
    """The loss, and what it is made of.

    Attributes:
        loss: To minimise, with gradients.
        clipped: Weight of the tokens whose ratio was cut off.
        kl: Weighted k3 estimate; 0 without a reference.
    """

    loss: Tensor
    clipped: Tensor
    kl: Tensor


def policy_loss(new: Tensor, tokens: Tokens, objective: Objective) -> Loss:
    """The loss of rollouts.

    Args:
        new: Log-probabilities (tokens,) under the policy now, with gradients.
        tokens: The same tokens when they were drawn.
        objective: What is minimised.

    >>> one = torch.zeros(2)
    >>> tokens = Tokens([2], one, torch.empty(0), torch.tensor([1.0, -1.0]), torch.tensor([0.5, 0.5]))
    >>> float(policy_loss(torch.log(torch.tensor([2.0, 2.0])), tokens, Objective()).loss)  # 0.5 * (2.0 - 1.2)
    0.4
    """
    change = new - tokens.old
    if objective.ratio == "sequence":
        parts = torch.split(change, list(tokens.lengths))
        change = torch.cat([part.mean().expand(len(part)) for part in parts])
    ratio = change.exp()
    kept = ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)
    surrogate = torch.minimum(ratio * tokens.advantages, kept * tokens.advantages)
    loss = -(surrogate * tokens.weights).sum()
    clipped = ((kept * tokens.advantages < ratio * tokens.advantages) * tokens.weights).sum().detach()
    if not len(tokens.reference):
        return Loss(loss, clipped, torch.zeros_like(clipped))
    gap = tokens.reference - new
    distance = ((gap.exp() - gap - 1) * tokens.weights).sum()
    return Loss(loss + objective.kl * distance, clipped, distance.detach())


def weights(lengths: Sequence[int], mean: Level) -> list[float]:
    """The weight of a token of each rollout, so that all tokens of all rollouts together weigh 1.

    >>> weights([1, 3], "token"), weights([1, 3], "sequence")
    ([0.25, 0.25], [0.5, 0.16666666666666666])
    """
    if mean == "token":
        total = sum(lengths)
        return [1 / total for _ in lengths]
    return [1 / (len(lengths) * length) for length in lengths]
