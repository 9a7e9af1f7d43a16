"""Demonstrations: what a judge is shown turn by turn, and what the expert says there.

The real judge runs, with the expert in the place of its model, and every request and answer is kept. So prompts, tool
results and the notation of calls are those of test time by construction. A judgment is a demonstration only when it
ends as the judge's own verdict on a right candidate; the others are counted by what went wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rewardlab.judges.protocol import Judge
from rewardlab.models.protocol import Completion, Generator, Sampling, Scores, Tool, ToolChoice
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.models.tool_text import as_text
from rewardlab.sandbox.protocol import Sandbox
from rewardlab.task import Message, Setting
from rewardlab.training.expert import expert_on
from rewardlab.training.intake import Intake
from rewardlab.training.judging_tasks import Posed
from rewardlab.verdict import Source, Status

JudgeMaker = Callable[..., Judge]  # lacks only its `generator`


@dataclass(frozen=True, slots=True)
class Turn:
    """One request, and the answer as the model would write it.

    Attributes:
        messages: The conversation so far.
        tools: On offer.
        tool_choice: Of the request.
        text: The answer.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    tool_choice: ToolChoice
    text: str


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One judgment to imitate.

    Attributes:
        place: Task, form and setting, for messages and hashes.
        family: For numbers by family.
        turns: In order.
    """

    place: str
    family: str
    turns: tuple[Turn, ...]


class Recorder:
    """A generator that keeps what another one was asked and what it answered.

    Args:
        generator: The one that answers.

    Attributes:
        turns: In order.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.turns: list[Turn] = []

    @property
    def can_score(self) -> bool:
        """As the other one."""
        return self._generator.can_score

    async def identity(self) -> Mapping[str, str]:
        """As the other one."""
        return await self._generator.identity()

    async def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> Completion:
        """The other one's turn."""
        done = await self._generator.chat(messages, sampling, tools, tool_choice)
        (written,) = as_text([Message("assistant", done.text, done.tool_calls)], (), "none")
        self.turns.append(Turn(tuple(messages), tuple(tools), tool_choice, written.content))
        return done

    async def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> Scores:
        """The other one's log-probabilities; the likeliest continuation is its answer."""
        scored = await self._generator.score(messages, continuations)
        best = max(zip(scored.logprobs, continuations, strict=True))[1]
        self.turns.append(Turn(tuple(messages), (), "none", best))
        return scored

    async def aclose(self) -> None:
        """Closes the other one."""
        await self._generator.aclose()


def demonstrations(
    tasks: Sequence[Posed], judges: Mapping[Setting, JudgeMaker], sandbox: Sandbox, intake: Intake
) -> list[Demonstration]:
    """The expert's judgments that end well.

    Args:
        tasks: In order.
        judges: For each setting the judge to imitate, still without its model.
        sandbox: Where the expert computes.
        intake: Takes the counts of the others.
    """

    async def run() -> list[Demonstration]:
        found = [await _demonstrated(posed, judges[posed.setting], sandbox, intake) for posed in tasks]
        return [demonstration for demonstration in found if demonstration is not None]

    return asyncio.run(run())


async def _demonstrated(posed: Posed, make: JudgeMaker, sandbox: Sandbox, intake: Intake) -> Demonstration | None:
    place = f"{posed.task.id}, {posed.task.form.value}, {posed.setting.value}"
    expert = await expert_on(posed.task, sandbox)
    if expert is None:
        intake.drop("no check", f"{place}: the expert does not understand the question")
        return None
    recorder = Recorder(ScriptedGenerator(expert.reply, expert.scores))
    verdict = await make(generator=recorder).judge(posed.task)
    if verdict.status is not Status.OK or verdict.source is not Source.OWN:
        intake.drop("no verdict", f"{place}: {verdict.note}")
        return None
    if verdict.choice not in posed.right:
        intake.drop("wrong verdict", f"{place}: the expert is wrong")
        return None
    return Demonstration(place, posed.family, tuple(recorder.turns))
