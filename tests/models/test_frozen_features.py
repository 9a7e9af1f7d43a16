from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rewardlab.errors import MissingRequirement
from rewardlab.models.frozen_features import FrozenFeatures
from rewardlab.models.reward_checkpoint import LoadedRewardModel, load_reward_model
from rewardlab.models.reward_model import collate
from rewardlab.models.reward_prompt import Encoded, RewardPrompt
from rewardlab.models.reward_scorer import Read, RewardScorer
from rewardlab.task import Message
from tests.models.tiny_reward_model import save_own


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedRewardModel:
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "cache"))
    return load_reward_model(str(save_own(tmp_path, "scalar", "frozen")[0]), device="cpu")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Encoded]:
    """Inputs that went through the backbone."""
    seen: list[Encoded] = []
    whole = FrozenFeatures._computed

    def noted(self: FrozenFeatures, inputs: Sequence[Encoded]) -> Mapping[Encoded, Tensor]:
        seen.extend(inputs)
        return whole(self, inputs)

    monkeypatch.setattr(FrozenFeatures, "_computed", noted)
    return seen


def inputs(prompt: RewardPrompt, *answers: str) -> list[Encoded]:
    return [prompt.whole((Message("user", "2 + 2?"),), answer) for answer in answers]


def test_only_new_inputs_are_computed_and_equal_ones_once(loaded: LoadedRewardModel, computed: list[Encoded]) -> None:
    prompt = RewardPrompt(loaded.tokenizer)
    first = inputs(prompt, "4", "5", "4")
    states = FrozenFeatures(loaded.model).states(first)
    assert sorted(computed) == sorted(set(first)) and torch.equal(states[0], states[2])
    computed.clear()
    more = inputs(prompt, "It is 6.", "5", "4")
    again = FrozenFeatures(loaded.model).states(more)
    assert computed == more[:1]
    assert torch.equal(again[1], states[1]) and torch.equal(again[2], states[0])
    with torch.inference_mode():
        assert torch.allclose(again[0], loaded.model.hidden(collate(more[:1])), atol=1e-5)


def test_the_same_tokens_read_elsewhere_are_another_input(loaded: LoadedRewardModel, computed: list[Encoded]) -> None:
    one, two = Encoded((5, 6, 7), (2,)), Encoded((5, 6, 7), (0, 2))
    found = FrozenFeatures(loaded.model).states([one, two])
    assert [tuple(t.shape) for t in found] == [(1, 32), (2, 32)] and len(computed) == 2
    assert torch.allclose(found[0][0], found[1][1], atol=1e-5)


def test_the_scorer_judges_from_kept_states_and_counts_them(loaded: LoadedRewardModel, computed: list[Encoded]) -> None:
    asked = inputs(RewardPrompt(loaded.tokenizer), "4", "five", "It is 6.")

    def scored() -> list[Read]:
        return asyncio.run(RewardScorer(loaded).read(asked))

    fresh, again = scored(), scored()
    assert len(computed) == 3 and [read.outputs for read in fresh] == [read.outputs for read in again]
    assert [read.usage.cached_tokens for read in fresh] == [0, 0, 0]
    assert [read.usage.cached_tokens for read in again] == [len(x.ids) for x in asked]
    with torch.inference_mode():
        plain = loaded.model(collate(asked))[:, 0].tolist()
    assert [read.outputs[0][0] for read in fresh] == pytest.approx(plain, abs=1e-4)


def test_a_cache_that_cannot_be_made_is_named(
    loaded: LoadedRewardModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(MissingRequirement, match="REWARDLAB_CACHE"):
        FrozenFeatures(loaded.model).states([Encoded((1,), (0,))])
