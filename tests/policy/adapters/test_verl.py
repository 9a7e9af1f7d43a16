from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from rewardlab.policy.adapters import verl as adapter
from rewardlab.policy.verinstruct import training_row, verinstruct
from rewardlab.sandbox.bubblewrap import Bubblewrap
from tests.policy.policies import ROOT, folder
from tests.policy.test_verinstruct import ROWS, write

pytestmark = pytest.mark.skipif(bool(Bubblewrap().available()), reason="bubblewrap is not installed")
KWARGS: dict[str, Any] = {"configs": str(ROOT / "configs"), "overrides": ["reward=rules", "reward.names=[functions]"]}
FAILING = {**KWARGS, "overrides": ["reward=noisy", "reward.kind=fail", "reward.rate=1"]}


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    return [training_row(prompt, "train") for prompt in verinstruct(write(tmp_path, ROWS)).train[:2]]


def answers(rows: list[dict[str, Any]]) -> list[str]:
    words = [row["prompt"][0]["content"].split()[0] for row in rows]
    return [f"{words[0]} you", "a b c d e", f"{words[1]} a b c d e", "so"]


def test_one_rollout_and_a_batch_get_the_same_facts(rows: list[dict[str, Any]]) -> None:
    infos = [row["extra_info"] for row in rows for _ in range(2)]
    batch = adapter.compute_scores(["v"] * 4, answers(rows), [""] * 4, infos, **KWARGS)
    assert [found["score"] for found in batch] == [1.0, 0.0, 0.5, 0.5]
    single = asyncio.run(adapter.compute_score("v", answers(rows)[0], "", infos[0], **KWARGS))
    assert single == batch[0] and single["satisfied"] == single["total"] == 2 and single["valid"] == 1.0
    json.dumps(batch)


def test_a_failure_is_no_number_and_has_the_same_keys(rows: list[dict[str, Any]]) -> None:
    found = asyncio.run(adapter.compute_score("v", "x", "", rows[0]["extra_info"], **FAILING))
    assert math.isnan(found["score"]) and found["valid"] == 0.0 and found["status"] == "endpoint_error"
    good = asyncio.run(adapter.compute_score("v", "x", "", rows[0]["extra_info"], **KWARGS))
    assert set(found) == set(good)


def test_failed_rewards_are_left_out_of_the_advantage() -> None:
    rewards = torch.tensor([[0.0, 1.0], [0.0, 0.0], [0.0, math.nan], [0.0, math.nan], [0.0, 0.3]])
    mask = torch.tensor([[1, 1], [1, 1], [1, 1], [1, 0], [1, 1]])
    advantages, returns = adapter.masked_advantages(rewards, mask, ["a", "a", "a", "b", "b"], by_std=False)
    assert advantages.tolist() == [[0.5, 0.5], [-0.5, -0.5], [0, 0], [0, 0], [0, 0]]
    assert returns is advantages


class TestInVerl:
    """Against verl's own managers and estimators."""

    verl = pytest.importorskip("verl", reason="verl is not installed")

    def data(self, rows: list[dict[str, Any]], tmp_path: Path) -> tuple[Any, Any]:
        import numpy as np
        from tensordict import TensorDict
        from transformers import AutoTokenizer
        from verl import DataProto

        tokenizer = AutoTokenizer.from_pretrained(folder(tmp_path / "base"))
        texts = [tokenizer(text).input_ids for text in answers(rows)]
        width = max(map(len, texts))
        responses = torch.tensor([ids + [0] * (width - len(ids)) for ids in texts])
        seen = torch.tensor([[1] * (3 + len(ids)) + [0] * (width - len(ids)) for ids in texts])
        prompts = torch.full((4, 3), 5)
        batch = TensorDict({"prompts": prompts, "responses": responses, "attention_mask": seen}, batch_size=4)
        each = [row for row in rows for _ in range(2)]
        columns = {
            name: np.array([row[name] if name != "extra_info" else dict(row[name]) for row in each], dtype=object)
            for name in ("data_source", "reward_model", "extra_info")
        }
        return DataProto(batch=batch, non_tensor_batch=columns), tokenizer

    def test_the_batch_manager(self, rows: list[dict[str, Any]], tmp_path: Path) -> None:
        from verl.workers.reward_manager.batch import BatchRewardManager

        data, tokenizer = self.data(rows, tmp_path)
        manager = BatchRewardManager(tokenizer, 0, adapter.compute_scores, **KWARGS)
        found = manager(data, return_dict=True)
        assert found["reward_tensor"].sum(-1).tolist() == [1.0, 0.0, 0.5, 0.5]
        assert found["reward_extra_info"]["satisfied"] == [2, 0, 1, 1]

    def test_the_asynchronous_manager(self, rows: list[dict[str, Any]], tmp_path: Path) -> None:
        from functools import partial

        from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
        from verl.trainer.ppo.reward import _call_with_kwargs_async

        data, tokenizer = self.data(rows, tmp_path)

        async def scores() -> list[float]:
            score = partial(_call_with_kwargs_async, adapter.compute_score, KWARGS)
            manager = NaiveRewardManager(None, tokenizer, score)
            assert manager.is_async_reward_score
            return [(await manager.run_single(data[i : i + 1]))["reward_score"] for i in range(4)]

        assert asyncio.run(scores()) == [1.0, 0.0, 0.5, 0.5]

    def test_the_estimator(self) -> None:
        from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage, get_adv_estimator_fn

        adapter.register()
        adapter.register()
        rewards, mask = torch.tensor([[0.0, 1.0], [0.0, 0.25], [0.0, 0.0]]), torch.ones(3, 2)
        index = ["a"] * 3
        ours, _ = get_adv_estimator_fn("masked_grpo")(rewards, mask, index=index, config=None)
        theirs, _ = compute_grpo_outcome_advantage(rewards, mask, index)
        assert torch.allclose(ours, theirs, atol=1e-3)
