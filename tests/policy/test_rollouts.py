from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from rewardlab.models.packed import logprobs
from rewardlab.policy.model import Policy
from rewardlab.policy.rollouts import Decoding, Sampled, Sampler, draw, offsets
from rewardlab.randomness import stream
from tests.policy.policies import folder, policy

PROMPTS = [[5, 9, 2, 60, 3], [4], [8, 7, 6, 5, 4, 3, 2, 1]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    return policy(folder(tmp_path_factory.mktemp("tiny"), context=64))


def drawn(tiny: Policy, decoding: Decoding, prompts: list[list[int]] = PROMPTS, n: int = 4) -> list[list[Sampled]]:
    rngs = [[stream(0, "test", str(prompt), i) for i in range(n)] for prompt in prompts]
    return Sampler(tiny.packed, tiny.tokenizer).groups(prompts, rngs, decoding)


@pytest.mark.parametrize("temperature", [1.0, 1.5, 0.0])
def test_logprobs_are_those_that_training_computes(tiny: Policy, temperature: float) -> None:
    found = drawn(tiny, Decoding(20, temperature))
    groups = [(p, [one.tokens for one in group]) for p, group in zip(PROMPTS, found, strict=True)]
    with torch.no_grad():
        again = logprobs(tiny.packed, groups, temperature or 1.0)
    for one, row in zip([one for group in found for one in group], again, strict=True):
        assert one.logprobs == pytest.approx(row.tolist(), abs=1e-4)


def test_rollouts_do_not_depend_on_what_they_are_batched_with(tiny: Policy) -> None:
    together = drawn(tiny, Decoding(20))
    assert together == drawn(tiny, Decoding(20))
    for batch_size in (1, 4, 8):
        apart = drawn(tiny, Decoding(20, batch_size=batch_size))
        assert [[one.tokens for one in group] for group in apart] == [[o.tokens for o in g] for g in together]
    (alone,) = drawn(tiny, Decoding(20), [PROMPTS[2]])
    assert [one.tokens for one in alone] == [one.tokens for one in together[2]]


def test_rollouts_differ_within_a_group_and_end_where_the_policy_ends_them(tiny: Policy) -> None:
    end = tiny.tokenizer.eos_token_id
    found = [one for group in drawn(tiny, Decoding(60), n=40) for one in group]
    assert len({one.tokens for one in found}) > 100
    assert {one.rollout.truncated for one in found} == {True, False}
    for one in found:
        assert one.rollout.truncated == (one.tokens[-1] != end) and end not in one.tokens[:-1]
        assert len(one.tokens) == 60 or not one.rollout.truncated
        assert "<end>" not in one.rollout.text


def test_draws_follow_the_distribution() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.0, 0.2, 0.3]]))
    uniform = torch.from_numpy((np.arange(1000) + 0.5) / 1000)
    token, logprob = draw(logits.expand(1000, -1), uniform, 1.0)
    assert torch.bincount(token, minlength=4).tolist() == [500, 0, 200, 300]
    assert logprob.exp().tolist() == pytest.approx([0.5] * 500 + [0.2] * 200 + [0.3] * 300)
    assert int(draw(logits, torch.tensor([0.9], dtype=torch.double), 0.0)[0]) == 0


def test_offsets_cover_the_text_also_where_tokens_are_parts_of_characters(tiny: Policy) -> None:
    for text in ("plain words", "größer als 三"):
        tokens = tuple(tiny.tokenizer(text, add_special_tokens=False).input_ids)
        end = (*tokens, tiny.tokenizer.eos_token_id)
        from rewardlab.policy.reward import Rollout

        spans = offsets(tiny.tokenizer, Sampled(end, (0.0,) * len(end), Rollout(text)))
        assert spans[0][0] == 0 and spans[-1] == (len(text), len(text))
        assert all(a[1] == b[0] for a, b in pairwise(spans))
