from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.policy.loss import Objective, Tokens, policy_loss, weights


def tokens(lengths: list[int], advantages: list[float], mean: str = "token", **rows: list[float]) -> Tokens:
    each = [w for w, n in zip(weights(lengths, mean), lengths, strict=True) for _ in range(n)]  # type: ignore[arg-type]
    old = torch.tensor(rows.get("old", [0.0] * sum(lengths)))
    return Tokens(lengths, old, torch.tensor(rows.get("reference", [])), torch.tensor(advantages), torch.tensor(each))


def gradient(new: list[float], given: Tokens, objective: Objective) -> list[float]:
    at = torch.tensor(new, requires_grad=True)
    policy_loss(at, given, objective).loss.backward()
    assert at.grad is not None
    return at.grad.tolist()


def test_on_policy_the_gradient_is_that_of_reinforce() -> None:
    given = tokens([1, 3], [2.0, -1.0, -1.0, -1.0])
    assert gradient([0.0] * 4, given, Objective()) == pytest.approx([-0.5, 0.25, 0.25, 0.25])
    given = tokens([1, 3], [2.0, -1.0, -1.0, -1.0], "sequence")
    assert gradient([0.0] * 4, given, Objective()) == pytest.approx([-1.0, 1 / 6, 1 / 6, 1 / 6])


@pytest.mark.parametrize(
    ("ratio", "advantage", "moves"),
    [(1.3, 1.0, False), (1.3, -1.0, True), (0.7, 1.0, True), (0.7, -1.0, False), (1.1, 1.0, True)],
)
def test_a_ratio_beyond_the_clip_moves_nothing_further(ratio: float, advantage: float, moves: bool) -> None:
    given = tokens([1], [advantage])
    assert bool(gradient([math.log(ratio)], given, Objective())[0]) == moves
    found = policy_loss(torch.tensor([math.log(ratio)]), given, Objective())
    assert float(found.clipped) == (0.0 if moves else 1.0)


def test_clips_may_differ_at_the_two_ends() -> None:
    given = tokens([1], [1.0])
    loss = policy_loss(torch.tensor([math.log(2.0)]), given, Objective(clip_high=0.28)).loss
    assert float(loss) == pytest.approx(-1.28)


@given(st.lists(st.tuples(st.floats(-3, 0), st.floats(-3, 0)), min_size=1, max_size=6))
def test_k3_is_never_negative_and_zero_at_the_reference(pairs: list[tuple[float, float]]) -> None:
    new, reference = (list(side) for side in zip(*pairs, strict=True))
    given = tokens([len(pairs)], [0.0] * len(pairs), reference=reference)
    found = policy_loss(torch.tensor(new), given, Objective(kl=0.1))
    by_hand = sum(math.exp(r - n) - (r - n) - 1 for n, r in pairs) / len(pairs)
    assert float(found.kl) == pytest.approx(by_hand, abs=1e-5) and float(found.kl) >= -1e-6
    assert float(found.loss) == pytest.approx(0.1 * by_hand, abs=1e-5)


def test_a_sequence_ratio_is_the_geometric_mean_and_clips_the_whole_rollout() -> None:
    new = [math.log(4.0), 0.0]  # token ratios 4 and 1, together 2
    given = tokens([2], [1.0, 1.0])
    found = policy_loss(torch.tensor(new), given, Objective(ratio="sequence", clip_high=1.5))
    assert float(found.loss) == pytest.approx(-2.0)
    assert gradient(new, given, Objective(ratio="sequence")) == [0.0, 0.0]
