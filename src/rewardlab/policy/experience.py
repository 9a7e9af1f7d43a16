"""The training data of GRPO, made while it is asked for: rollouts of the policy as it is, scored, in minibatches.

One batch of prompts gives one batch of rollouts, which is gone through in several passes and minibatches; then the
policy, changed meanwhile, is asked again. To Lightning this is a data loader of known length, so optimiser, schedule,
accumulation and processes work as in any training. An epoch is one pass over the prompts.

The whole state, rollouts under way included, is in the checkpoint: a resumed run goes on with the next minibatch of the
same rollouts, and draws the next ones from streams that are named by the number of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rewardlab.policy.reward import Prompt, RewardMethod
from rewardlab.randomness import stream
from rewardlab.training.batches import Batches


class Trajectory(NamedTuple):
    """A rollout to learn from; the tuples have one entry a token.

    Attributes:
        tokens: What the policy drew.
        old: Log-probabilities when it was drawn.
        reference: Log-probabilities under the reference; empty where there is none.
        advantages: Of each token.
        weight: Of each of its tokens in the loss; those of a batch of rollouts add up to the number of minibatches.
    """

    tokens: Sequence[int]
    old: Sequence[float]
    reference: Sequence[float]
    advantages: Sequence[float]
    weight: float


class Group(NamedTuple):
    """The rollouts of one prompt that are learned from, none where it teaches nothing."""

    prompt: Sequence[int]
    trajectories: Sequence[Trajectory]


class Collected(NamedTuple):
    """Scored rollouts of one batch of prompts, and numbers about them for the learning curve."""

    groups: Sequence[Group]
    numbers: Mapping[str, float]


@dataclass(slots=True)
class Minibatch:
    """What one step learns from.

    Attributes:
        groups: Those with anything to learn from.
        numbers: About the whole batch of rollouts.
    """

    groups: Sequence[Group]
    numbers: Mapping[str, float]

    @property
    def tokens(self) -> int:
        """Tokens that run through the model, prompts once."""
        return sum(len(g.prompt) + sum(len(t.tokens) for t in g.trajectories) for g in self.groups)


class Experience:
    """An endless supply of epochs, as Lightning wants them.

    Args:
        prompts: Batches of prompts.
        collect: From the number of the batch and its prompts to scored rollouts of the policy as it is now.
        method: Hears of the end of an epoch; its state is kept.
        counts: What else has a state that belongs to the rollouts.
        passes: Times that each batch of rollouts is gone through.
        minibatches: Parts of it, by prompts; each prompt comes once in every pass.
        seed: Of the order of prompts in each pass.
    """

    def __init__(
        self,
        prompts: Batches[Prompt, tuple[Prompt, ...]],
        collect: Callable[[int, Sequence[Prompt]], Collected],
        method: RewardMethod,
        counts: Any,
        passes: int,
        minibatches: int,
        seed: int,
    ) -> None:
        self._prompts, self._collect, self._method, self._counts = prompts, collect, method, counts
        self._passes, self._minibatches, self._seed = passes, minibatches, seed
        self._batch = 0  # batches of rollouts so far
        self._left = 0  # minibatches of the last one that are still to come
        self._collected = Collected((), {})

    def __len__(self) -> int:
        return len(self._prompts) * self._steps

    def __iter__(self) -> Iterator[Minibatch]:
        prompts = iter(self._prompts)
        while True:
            if not self._left:
                asked = next(prompts, None)
                if asked is None:
                    return
                self._collected = self._collect(self._batch, asked)
                self._batch, self._left = self._batch + 1, self._steps
                if not self._prompts.state_dict()["given"]:
                    self._method.end_epoch()
            place = self._steps - self._left
            self._left -= 1  # before it is handed out: the checkpoint that follows has it behind it
            yield self._part(place)

    def state_dict(self) -> dict[str, Any]:
        """Where in the supply we are, with the rollouts that are not used up; plain data."""
        groups = self._collected.groups if self._left else ()
        return {
            "prompts": self._prompts.state_dict(),
            "batch": self._batch,
            "left": self._left,
            "groups": [[list(g.prompt), [[*map(_plain, t)] for t in g.trajectories]] for g in groups],
            "numbers": dict(self._collected.numbers),
            "method": dict(self._method.state_dict()),
            "counts": dict(self._counts.state_dict()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._prompts.load_state_dict(state["prompts"])
        self._batch, self._left = state["batch"], state["left"]
        groups = [Group(prompt, [Trajectory(*t) for t in trajectories]) for prompt, trajectories in state["groups"]]
        self._collected = Collected(groups, state["numbers"])
        self._method.load_state_dict(state["method"])
        self._counts.load_state_dict(state["counts"])

    @property
    def _steps(self) -> int:
        return self._passes * self._minibatches

    def _part(self, place: int) -> Minibatch:
        turn, part = divmod(place, self._minibatches)
        order = stream(self._seed, "minibatches", self._batch, turn).permutation(len(self._collected.groups))
        groups = [self._collected.groups[i] for i in order[part :: self._minibatches]]
        return Minibatch([group for group in groups if group.trajectories], self._collected.numbers)


def _plain(value: Any) -> Any:
    return value if isinstance(value, float) else list(value)
