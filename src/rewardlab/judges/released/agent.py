"""The release's agent: the loop of the Skill-RM arms and of the tool-only arm, as the released code runs it.

It differs from `rewardlab.judges.skill` where the release does. The final answer is on offer in every turn, a turn that
neither calls a tool nor states a verdict ends the loop, there is no ledger that the model writes, and the verdict is
the model's final answer, whatever verifiers found (`model_final`). When the loop ends without a verdict, a ladder of
requests follows; on the pairwise benchmarks its last step lets the static judge answer, and such a verdict is a
`Source.FALLBACK`: official grading counts it, as the release does, and strict grading does not.

Ratings (the Ties of RewardBench 2) never meet the loop: every arm rates them by the static judge's prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rewardlab.errors import ModelError
from rewardlab.judges import render
from rewardlab.judges.direct import answer_verdict, completion_event, messages_event
from rewardlab.judges.released.baseline import Baseline, asked, parsed
from rewardlab.judges.released.settings import (
    CODE_CHARS,
    OUTPUT_CHARS,
    SANDBOX_SECONDS,
    TOKENS,
    Answer,
    Step,
    format_of,
    loop_of,
    sampling,
)
from rewardlab.judges.skill import own_scores, readout_event
from rewardlab.judges.tools import Limits, Toolbox
from rewardlab.judges.verify import Verifiers
from rewardlab.models.protocol import Completion, Generator, Tool, ToolChoice
from rewardlab.sandbox.protocol import Sandbox
from rewardlab.skills.bank import Bank
from rewardlab.skills.package import SkillPackage
from rewardlab.task import Form, Message, Setting, Task
from rewardlab.verdict import Event, Source, Usage, Verdict

_UNLIMITED = 1000  # calls of a kind that the release does not count


class Agent:
    """Judges by the release's loop.

    Args:
        generator: The model.
        benchmark: Name of the benchmark, whose settings it follows.
        package: The skill; None for the tool-only arm.
        setting: The information setting: standard is the release's "fair" arm, resource its "operational" one.
        sandbox: Where model-written code runs.
        verifiers: What runs verifier resources.
        name: Name in tables.

    Raises:
        UserError: When the release has no such arm on the benchmark.
    """

    def __init__(
        self,
        generator: Generator,
        benchmark: str,
        package: SkillPackage | None,
        setting: Setting,
        sandbox: Sandbox | None,
        verifiers: Verifiers,
        name: str = "skill",
    ) -> None:
        self.name = name
        self.setting = setting
        self.generator = generator
        self.loop = loop_of(setting.value if package else "tool_only", benchmark)
        self.format = format_of(benchmark)
        self.baseline = Baseline(generator, benchmark)
        self.forms = self.baseline.forms
        self._package, self._sandbox, self._verifiers = package, sandbox, verifiers

    def identity(self) -> Mapping[str, str]:
        """Hashes of the prompts and the skill package, the settings, and what can run here."""
        names = ["answer_by_tool", "released_skill", "released_skill_tools", "released_tools"]
        return {
            **{f"baseline.{key}": value for key, value in self.baseline.identity().items()},
            "prompts": render.fingerprint(*names),
            "released": "; ".join(f"{name}={value}" for name, value in self.loop._asdict().items()),
            "skill": self._package.sha256 if self._package else "none",
            "sandbox": self._sandbox.name if self._sandbox else "none",
            "unavailable": ",".join(sorted(self._verifiers.unavailable())),
        }

    async def judge(self, task: Task) -> Verdict:
        """Judge one task."""
        if task.form is Form.RATE:
            return await self.baseline.judge(task)
        return await _Judgment(self, task).run()

    def toolbox(self, task: Task) -> Toolbox:
        """Fresh tools for one judgment."""
        limits = Limits(
            turns=self.loop.turns,
            lists=_UNLIMITED,
            views=_UNLIMITED,
            runs=self.loop.runs,
            sandbox_calls=_UNLIMITED,
            tests=0,
            records=0,
            text_chars=self.loop.resource_chars,
            output_chars=OUTPUT_CHARS,
            code_chars=CODE_CHARS,
            sandbox_seconds=SANDBOX_SECONDS,
        )
        if self._package is None:
            return Toolbox(task, None, None, self._sandbox, None, limits)
        bank = Bank(self._package, task, self.setting, self._verifiers.unavailable())
        text = f"{self._package.body}\n\n{render.template('released_skill_tools')}"
        return Toolbox(task, bank, (self._package.name, text), self._sandbox, self._verifiers, limits)

    def opening(self, task: Task) -> list[Message]:
        """The first messages of a judgment."""
        fields = {"role": render.template("system"), "turns": str(self.loop.turns)}
        if self._package:
            named = {"name": self._package.name, "description": self._package.description}
            system = render.fill("released_skill", fields | named)
        else:
            system = render.fill("released_tools", fields)
        return [Message("system", system), asked(task, self.format, self.format.closing)]


class _Judgment:
    """One run of the loop and, where it gave nothing, of the ladder."""

    def __init__(self, agent: Agent, task: Task) -> None:
        self._agent, self._task = agent, task
        self._toolbox = agent.toolbox(task)
        self._messages = agent.opening(task)
        self._trace: list[Event] = [messages_event(self._messages)]
        self._usage = Usage()
        self._source = Source.OWN
        self._finish_reason = "stop"

    async def run(self) -> Verdict:
        try:
            answer = await self._loop()
            for step in self._agent.loop.ladder:
                if answer is not None:
                    break
                if step.by == "baseline":
                    return await self._fall_back(step.tokens)
                answer = await self._ask_again(step)
        except ModelError as error:
            self._usage += error.usage
            return self._finish(Verdict(error.status, note=str(error)), None)
        found = parsed(answer, self._finish_reason)
        return self._finish(answer_verdict(self._task, found, Usage(), (), self._source), answer)

    async def _loop(self) -> Answer:
        for _ in range(self._agent.loop.turns):
            tools = self._tools()
            completion = await self._ask(tools, self._agent.loop.tool_choice, TOKENS)
            if not completion.tool_calls or any(call.name == "final_answer" for call in completion.tool_calls):
                return self._read(completion)
            for call in completion.tool_calls:
                before = len(self._toolbox.events)
                result = await self._toolbox.call(call, tools)
                self._trace += self._toolbox.events[before:]
                self._messages.append(Message("tool", result, tool_call_id=call.id))
        return None

    def _tools(self) -> tuple[Tool, ...]:
        """The tools on offer; the final answer among them in every turn."""
        offered = [tool for tool in self._toolbox.offered(last=False) if tool.name != "final_answer"]
        opened = sum(self._toolbox.worked().get(name, 0) for name in ("view_resource", "run_resource"))
        if opened >= self._agent.loop.resources:
            offered = [left for tool in offered if (left := _of_the_sample(tool))]
        return (*offered, self._agent.format.tool)

    async def _ask_again(self, step: Step) -> Answer:
        """One request more in the same conversation, by the forced tool or in words."""
        self._source = Source.REPAIR
        again = Message("user", render.fill("repair", {"options": self._agent.format.options}))
        self._messages.append(again)
        self._trace.append(messages_event([again]))
        if step.by == "tool":
            return self._read(await self._ask((self._agent.format.tool,), "final_answer", step.tokens))
        return self._read(await self._ask((), "auto", step.tokens))

    async def _fall_back(self, tokens: int) -> Verdict:
        self._source = Source.FALLBACK
        verdict = await self._agent.baseline.in_place_of_an_agent(self._task, tokens)
        self._usage += verdict.usage
        self._trace += verdict.trace
        return self._finish(verdict, None)

    async def _ask(self, tools: tuple[Tool, ...], choice: ToolChoice, tokens: int) -> Completion:
        completion = await self._agent.generator.chat(self._messages, sampling(tokens), tools, choice)
        self._usage += completion.usage
        self._finish_reason = completion.finish_reason
        self._trace.append(completion_event(completion, tools))
        self._messages.append(Message("assistant", completion.text, completion.tool_calls))
        return completion

    def _read(self, completion: Completion) -> Answer:
        """The answer of a turn that ends the loop: its first final_answer, else its words."""
        for call in completion.tool_calls:
            # Every call of a turn must have a result before the conversation can go on.
            self._messages.append(Message("tool", "the judgment ends", tool_call_id=call.id))
        final = next((call for call in completion.tool_calls if call.name == "final_answer"), None)
        if final:
            return self._agent.format.read_call(final.arguments)
        return self._agent.format.read_agent(completion.text, completion.finish_reason)

    def _finish(self, verdict: Verdict, answer: Answer) -> Verdict:
        own = own_scores(self._task, answer)
        return replace(
            verdict,
            ledger=tuple(self._toolbox.ledger),
            own=own,
            readout="model_final",
            source=self._source,
            usage=self._usage,
            tools=self._toolbox.worked(),
            trace=(*self._trace, readout_event(self._task, own)),
        )


def _of_the_sample(tool: Tool) -> Tool | None:
    """A tool once the resources are used up: only the sample's own texts are still read, and nothing is run."""
    if tool.name not in ("view_resource", "run_resource"):
        return tool
    properties: Mapping[str, Any] = tool.parameters["properties"]
    left = [id for id in properties["resource"]["enum"] if id.startswith("sample-")]
    if tool.name == "run_resource" or not left:
        return None
    return replace(tool, parameters={**tool.parameters, "properties": {"resource": {"enum": left}}})
