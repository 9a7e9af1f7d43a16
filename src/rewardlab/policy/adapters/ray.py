"""Judging rollouts in the processes of a Ray cluster: for rewards whose own computation is the bottleneck (verifiers,
sandboxes, local reward models). A served judge needs no Ray, since a thousand calls fit into one event loop.

Each worker builds the reward from its config, so nothing but prompts, rollouts and rewards travels. A worker that dies
is started again by Ray and tries its group once more; one that it dies of twice has failed and is masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from rewardlab.errors import UserError
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout
from rewardlab.verdict import Status


class RayScored(RewardMethod):
    """Another reward, computed by Ray workers, a group at a time in turn.

    Args:
        method: Config of the reward.
        workers: Processes.
        cpus: Of each.
        gpus: Of each.
        address: Of the cluster; None starts one on this machine, or joins that of the environment.

    Raises:
        UserError: When the reward has a state, of which every worker would keep its own part.
    """

    def __init__(
        self, method: DictConfig, workers: int, cpus: float = 1.0, gpus: float = 0.0, address: str | None = None
    ) -> None:
        import ray

        self._local: RewardMethod = instantiate(method)
        if self._local.state_dict():
            raise UserError(f"the reward {self._local.name} keeps a state, so it cannot be spread over workers")
        self.name = self._local.name
        self.needs = self._local.needs  # type: ignore[misc]
        self.advantage = self._local.advantage  # type: ignore[misc]
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False)
        made = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=-1, max_task_retries=1)(_Worker)
        text = OmegaConf.to_yaml(method, resolve=True)
        actors: list[Any] = [made.remote(text) for _ in range(workers)]
        self._workers = cycle(actors)

    def identity(self) -> Mapping[str, str]:
        """Of the reward."""
        return self._local.identity()

    def lacks(self, prompt: Prompt) -> str:
        """What the reward lacks."""
        return self._local.lacks(prompt)

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        """The reward of one rollout."""
        (reward,) = await self.score_group(prompt, [rollout])
        return reward

    async def score_group(self, prompt: Prompt, rollouts: Sequence[Rollout]) -> Sequence[Reward]:
        """The rewards of a group; none where the worker died."""
        from ray.exceptions import RayActorError

        try:
            rewards: Sequence[Reward] = await next(self._workers).score.remote(prompt, list(rollouts))
        except RayActorError as error:
            return [Reward(None, Status.ENDPOINT_ERROR, note=str(error)[:300])] * len(rollouts)
        return rewards


class _Worker:
    """One process with a reward of its own; Ray runs its coroutines on one event loop."""

    def __init__(self, method: str) -> None:
        self._method: Any = instantiate(OmegaConf.create(method))

    async def score(self, prompt: Prompt, rollouts: list[Rollout]) -> list[Reward]:
        """The rewards of a group."""
        return list(await self._method.score_group(prompt, rollouts))
