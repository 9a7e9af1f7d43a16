"""The reward of a policy: what every method of scoring rollouts has in common.

A `RewardMethod` is asked in this order: its needs are checked before the first step, `prepare` may change the prompts,
`fit` may learn from artifacts, and then rollouts come in groups, one group a prompt. A method that scores a rollout by
itself writes `score`; one that looks at the group, or that keeps a state over groups, overrides `score_group`. At the
end of an epoch it hears so, and its state goes into the checkpoint.

A reward is a number or a status that says why there is none; a failed verifier or judge never becomes a 0. What a
prompt's resources say (a reference, a checklist) is for the method alone: the policy sees `Prompt.messages` and nothing
else, and `check_hidden` refuses prompts that a method has made to tell more.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.errors import UserError
from rewardlab.models.protocol import Generator
from rewardlab.task import Message, Resource, ResourceKind, Setting
from rewardlab.verdict import Evidence, Status, Usage


class Need(StrEnum):
    """What a method cannot do without: resources of every prompt, or something given to the run."""

    REFERENCE = "reference"
    RUBRIC = "rubric"
    CHECKLIST = "checklist"
    TESTS = "tests"
    POLICY = "policy"  # a generator to sample from while preparing
    ARTIFACTS = "artifacts"  # a folder to learn from


class Advantage(StrEnum):
    """How rewards of a group become advantages."""

    GROUP_STD = "group_std"  # less the group's mean, over its standard deviation
    GROUP_MEAN = "group_mean"  # less the group's mean
    PRECOMPUTED = "precomputed"  # the method gives the advantages itself, by segment


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt to roll out.

    Attributes:
        id: Unique.
        messages: All that the policy sees.
        resources: What only the reward method may read.
        origin: Id of the prompt that a method made this one from; "" for a prompt as it came.
    """

    id: str
    messages: tuple[Message, ...]
    resources: tuple[Resource, ...] = ()
    origin: str = ""

    def of_kind(self, kind: ResourceKind) -> tuple[Resource, ...]:
        """The resources of one kind."""
        return tuple(resource for resource in self.resources if resource.kind is kind)


@dataclass(frozen=True, slots=True)
class Rollout:
    """One answer of the policy.

    Attributes:
        text: The answer.
        truncated: Whether it was cut at the length limit.
    """

    text: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """An advantage for the characters from `start` up to `end` of a rollout's text."""

    start: int
    end: int
    advantage: float


@dataclass(frozen=True, slots=True)
class Reward:
    """What a rollout is worth.

    Attributes:
        value: The reward; None exactly where the status is not OK, which masks the rollout.
        status: Why there is no value.
        segments: Advantages by segment, from methods with precomputed ones and from no others.
        ledger: The evidence behind the value.
        usage: Calls and tokens of judges.
        executions: Programs, plans or environments that were run for it.
        note: In a few words, why the status is what it is.

    Raises:
        ValueError: When value and status contradict each other.
    """

    value: float | None
    status: Status = Status.OK
    segments: tuple[Segment, ...] = ()
    ledger: tuple[Evidence, ...] = ()
    usage: Usage = Usage()
    executions: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) == (self.status is Status.OK):
            raise ValueError(f"a reward of status {self.status.value} with the value {self.value}")


class RewardMethod(ABC):
    """Scores rollouts.

    Attributes:
        name: Short name for tables.
        needs: What it cannot do without; checked before the first step.
        advantage: How its rewards become advantages.
    """

    name: str
    needs: ClassVar[frozenset[Need]] = frozenset()
    advantage: ClassVar[Advantage] = Advantage.GROUP_STD

    def identity(self) -> Mapping[str, str]:
        """What decides the rewards beside the config: hashes of prompts, models, packages."""
        return {}

    def lacks(self, prompt: Prompt) -> str:
        """What a prompt lacks for this method, in words; "" when it has all that is needed."""
        present = {resource.kind.value for resource in prompt.resources}
        resources = {kind.value for kind in ResourceKind}
        return ", ".join(sorted(need.value for need in self.needs if need in resources and need not in present))

    async def prepare(self, prompts: Sequence[Prompt], policy: Generator | None) -> Sequence[Prompt]:
        """Change, make or drop prompts before training. A new prompt names its `origin`.

        Args:
            prompts: As they came.
            policy: The policy before training, where `needs` asks for it.
        """
        return prompts

    async def fit(self, artifacts: Path) -> None:
        """Learn from a folder, where `needs` asks for artifacts."""
        raise NotImplementedError(f"{self.name} learns from no artifacts")

    @abstractmethod
    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        """The reward of one rollout by itself. What a model or verifier does wrong is a status."""

    async def score_group(self, prompt: Prompt, rollouts: Sequence[Rollout]) -> Sequence[Reward]:
        """The rewards of all rollouts of one prompt, in their order."""
        return await asyncio.gather(*(self.score(prompt, rollout) for rollout in rollouts))

    def end_epoch(self) -> None:  # noqa: B027 - most methods have nothing to do
        """All groups of an epoch have been scored."""

    def state_dict(self) -> Mapping[str, Any]:
        """What must be in a checkpoint for the rewards to go on as if nothing had happened; JSON-like."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - most methods have none
        """Take up a state."""


def check_needs(
    method: RewardMethod, prompts: Sequence[Prompt], policy: Generator | None = None, artifacts: Path | None = None
) -> None:
    """Refuse to start where a method cannot score, instead of scoring nothing later.

    Raises:
        UserError: With everything that is missing.
    """
    missing = [(prompt.id, lacking) for prompt in prompts if (lacking := method.lacks(prompt))]
    problems = [f"prompt {name} has no {lacking}" for name, lacking in missing[:5]]
    if len(missing) > 5:
        problems.append(f"and {len(missing) - 5} more prompts")
    if Need.POLICY in method.needs and policy is None:
        problems.append("no policy to prepare prompts with")
    if Need.ARTIFACTS in method.needs and artifacts is None:
        problems.append("no folder of artifacts to learn from")
    if problems:
        raise UserError(f"the reward {method.name} cannot be used:\n  " + "\n  ".join(problems))


def check_hidden(prompts: Sequence[Prompt], originals: Sequence[Prompt]) -> None:
    """Refuse prompts that tell the policy its reference answer.

    A number may stand in a question and be its answer too, so what counts is whether the reference stands in the
    messages more often than in those of the prompt that this one was made from.

    Args:
        prompts: What the policy is about to see.
        originals: The prompts as they came from the data.

    Raises:
        UserError: With the ids of the prompts that tell.
    """
    came = {prompt.id: prompt for prompt in originals}
    telling = []
    for prompt in prompts:
        original = came.get(prompt.origin or prompt.id)
        for reference in prompt.of_kind(ResourceKind.REFERENCE):
            allowed = _occurrences(reference.content, original.messages) if original else 0
            if _occurrences(reference.content, prompt.messages) > allowed:
                telling.append(prompt.id)
    if telling:
        raise UserError(f"the reference answer stands in the prompt of {len(telling)}: {', '.join(telling[:5])}")


def _occurrences(text: str, messages: Sequence[Message]) -> int:
    whole = re.compile(rf"(?<!\w){re.escape(text.strip())}(?!\w)")
    return sum(len(whole.findall(message.content)) for message in messages) if text.strip() else 0


def prompts_of(benchmark: Benchmark) -> list[Prompt]:
    """One prompt for each example of a benchmark: the question for the policy, the resources for the reward.

    Args:
        benchmark: Whose tasks put a question; their candidates are left out.
    """
    places = benchmark.places()
    shown = {task.id: task for task in benchmark.tasks(Setting.STANDARD)}
    found: dict[str, Prompt] = {}
    for task in benchmark.tasks(Setting.RESOURCE):
        example = places[task.id].example
        found.setdefault(example, Prompt(example, shown[task.id].question, task.resources))
    return list(found.values())
