from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from omegaconf import OmegaConf

from rewardlab.errors import UserError
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout
from rewardlab.task import Message
from rewardlab.verdict import Status

ray = pytest.importorskip("ray", reason="pip install rewardlab[ray]")

PROMPT = Prompt("p", (Message("user", "?"),))


class Slow(RewardMethod):
    """Takes its time, and dies when asked to."""

    name = "slow"

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        if rollout.text == "die":
            import os

            os._exit(1)
        time.sleep(0.5)  # as a computation would
        return Reward(float(len(rollout.text)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_groups_are_scored_at_the_same_time_and_a_dead_worker_masks_its_group(cluster: None) -> None:
    from rewardlab.policy.adapters.ray import RayScored

    spread = RayScored(OmegaConf.create({"_target_": f"{__name__}.Slow"}), workers=2)

    async def both(*texts: str) -> list[list[Reward]]:
        groups = (spread.score_group(PROMPT, [Rollout(text)] * 2) for text in texts)
        return [list(group) for group in await asyncio.gather(*groups)]

    asyncio.run(both("warm", "up"))
    began = time.perf_counter()
    found = asyncio.run(both("a", "bcd"))
    assert [[reward.value for reward in group] for group in found] == [[1.0, 1.0], [3.0, 3.0]]
    assert time.perf_counter() - began < 1.8  # one after another would take two seconds
    (dead, _) = asyncio.run(both("die", "b"))
    assert [reward.status for reward in dead] == [Status.ENDPOINT_ERROR] * 2
    assert asyncio.run(both("a", "b"))[0][0].value == 1.0  # it was started again


def test_a_reward_with_a_state_is_refused() -> None:
    from rewardlab.policy.adapters.ray import RayScored

    with pytest.raises(UserError, match="keeps a state"):
        RayScored(OmegaConf.create({"_target_": "tests.policy.toys.Letters"}), workers=2)
