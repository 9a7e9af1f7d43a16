"""The Skill-RM judge: an agent loop over one Reward-Evaluation Skill (arXiv 2606.03980, sections 2 and 3).

The model diagnoses the input, loads the skill, opens resources, runs verifiers and code, and records evidence; a
deterministic readout turns the ledger into the verdict. The skill text is the same for every benchmark. Without a
package the same loop is the tool-only arm: a sandbox and no skill.

Every model turn is bounded, and in the last one only the final answer is on offer, so a judgment ends within
`limits.turns` calls plus `repairs`. A verdict that needed a repair says so. When the ledger and the model's own answer
leave nothing to choose by, there is no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from rewardlab.errors import ModelError, UnknownName
from rewardlab.judges import render
from rewardlab.judges.direct import completion_event, messages_event
from rewardlab.judges.parse import TIE, menu_of, parse_verdict
from rewardlab.judges.readout import read_out, readout
from rewardlab.judges.tools import Limits, Toolbox
from rewardlab.judges.verify import Verifiers
from rewardlab.models.protocol import Completion, Generator, Sampling, Tool, ToolChoice
from rewardlab.sandbox.protocol import Sandbox
from rewardlab.skills.bank import Bank
from rewardlab.skills.package import SkillPackage
from rewardlab.task import Form, Message, Setting, Task
from rewardlab.verdict import Event, Source, Status, Usage, Verdict


class Skill:
    """Judges by running a skill.

    Args:
        generator: The model.
        package: The skill; None for the tool-only arm.
        setting: The information setting; decides which resources exist.
        sandbox: Where model-written code runs.
        verifiers: What runs verifier resources.
        name: Name in tables.
        readout: Name of the readout.
        trigger: "model" lets the model decide whether to load the skill, as the paper does; "always" begins with the
            skill loaded, which tells apart not using a skill and not knowing when to.
        evidence_first: Offer the final answer only once the ledger has an entry, and in the last turn.
        tool_choice: "required" where the model or server can be held to tool calls, else "auto".
        limits: How much one judgment may use.
        repairs: How often a missing final answer is asked for again.
        sampling: How to decode.
    """

    forms = frozenset({Form.RATE, Form.PAIR, Form.PICK})

    def __init__(
        self,
        generator: Generator,
        package: SkillPackage | None,
        setting: Setting,
        sandbox: Sandbox | None,
        verifiers: Verifiers,
        name: str = "skill",
        readout: str = "lexicographic",
        trigger: Literal["model", "always"] = "model",
        evidence_first: bool = False,
        tool_choice: ToolChoice = "required",
        limits: Limits | None = None,
        repairs: int = 1,
        sampling: Sampling = Sampling(),
    ) -> None:
        self.name = name
        self.setting = setting
        self._generator, self._package, self._sandbox, self._verifiers = generator, package, sandbox, verifiers
        _readout(readout)  # refuses a name that there is not
        self._readout_name = readout
        if trigger not in ("model", "always"):
            raise UnknownName("trigger", trigger, ("model", "always"))
        self._evidence_first = evidence_first
        self._always = trigger == "always" and package is not None
        self._tool_choice: ToolChoice = tool_choice
        self._limits = limits or Limits()
        self._repairs = repairs
        self._sampling = sampling

    def identity(self) -> Mapping[str, str]:
        """Hashes of the prompts and the skill package, and what the sandbox and the verifiers can do here."""
        names = [
            "system",
            "task",
            "repair",
            "answer_by_tool",
            "skill_system",
            "skill_loaded",
            "skill_tools",
            "tools_system",
        ]
        return {
            "prompts": render.fingerprint(*names, *(f"ask_{form.value}" for form in self.forms)),
            "skill": self._package.sha256 if self._package else "none",
            "pool": self._package.pool if self._package else "none",
            "sandbox": self._sandbox.name if self._sandbox else "none",
            "unavailable": ",".join(sorted(self._verifiers.unavailable())),
        }

    async def judge(self, task: Task) -> Verdict:
        """Judge one task."""
        return await _Judgment(self, task).run()

    def toolbox(self, task: Task) -> Toolbox:
        """Fresh tools for one judgment."""
        if self._package is None:
            return Toolbox(task, None, None, self._sandbox, None, self._limits)
        bank = Bank(self._package, task, self.setting, self._verifiers.unavailable())
        text = f"{self._package.body}\n\n{render.template('skill_tools')}"
        skill = (self._package.name, text)
        return Toolbox(
            task, bank, skill, self._sandbox, self._verifiers, self._limits, self._always, self._evidence_first
        )

    def opening(self, task: Task, toolbox: Toolbox) -> list[Message]:
        """The first messages of a judgment."""
        fields = {"role": render.template("system"), "turns": str(self._limits.turns)}
        if self._always:
            system = render.fill("skill_loaded", fields | {"skill": toolbox.skill_text()})
        elif self._package:
            named = {"name": self._package.name, "description": self._package.description}
            system = render.fill("skill_system", fields | named)
        else:
            system = render.fill("tools_system", fields)
        menu = render.fill("answer_by_tool", {"options": render.options(task)})
        return [Message("system", system), Message("user", f"{render.task_text(task)}\n\n{render.ask(task, menu)}")]

    async def turn(self, messages: list[Message], tools: tuple[Tool, ...], last: bool) -> Completion:
        """One model call. The last turn is held to the final answer."""
        return await self._generator.chat(
            messages, self._sampling, tools, "final_answer" if last else self._tool_choice
        )

    @property
    def turns(self) -> int:
        """Model calls of a judgment before repairs."""
        return self._limits.turns

    @property
    def repairs(self) -> int:
        """How often a missing final answer is asked for again."""
        return self._repairs

    def read(self, task: Task, toolbox: Toolbox) -> Verdict:
        """The verdict of a finished judgment, without its trace and cost."""
        return read_out(task, toolbox.ledger, own_scores(task, toolbox.final), self._readout_name)


_readout = readout  # the constructor's argument of that name hides the function


class _Judgment:
    """One run of the loop."""

    def __init__(self, judge: Skill, task: Task) -> None:
        self._judge, self._task = judge, task
        self._toolbox = judge.toolbox(task)
        self._messages = judge.opening(task, self._toolbox)
        self._trace: list[Event] = [messages_event(self._messages)]
        self._usage = Usage()
        self._source = Source.OWN
        self._finish_reason = "stop"

    async def run(self) -> Verdict:
        turns = self._judge.turns
        try:
            for turn in range(turns + self._judge.repairs):
                last = turn >= turns - 1
                if turn >= turns:
                    self._source = Source.REPAIR
                    options = render.fill("repair", {"options": render.options(self._task)})
                    self._say(Message("user", options))
                await self._turn(last)
                if self._toolbox.final is not None:
                    break
        except ModelError as error:
            self._usage += error.usage
            return self._finish(Verdict(error.status, ledger=tuple(self._toolbox.ledger), note=str(error)))
        return self._finish(self._verdict())

    def _verdict(self) -> Verdict:
        verdict = self._judge.read(self._task, self._toolbox)
        if verdict.status is not Status.OK and self._toolbox.final is None and self._finish_reason == "length":
            return replace(verdict, status=Status.TRUNCATED, note="the final answer was cut at the token limit")
        return verdict

    async def _turn(self, last: bool) -> None:
        tools = self._toolbox.offered(last)
        completion = await self._judge.turn(self._messages, tools, last)
        self._usage += completion.usage
        self._finish_reason = completion.finish_reason
        self._trace.append(completion_event(completion, tools))
        self._messages.append(Message("assistant", completion.text, completion.tool_calls))
        for call in completion.tool_calls:
            # A final answer ends the turn; what the model called beside it came too late to count.
            before = len(self._toolbox.events)
            result = await self._toolbox.call(call, tools)
            self._trace += self._toolbox.events[before:]
            self._messages.append(Message("tool", result, tool_call_id=call.id))
        if not completion.tool_calls:
            self._read_text(completion)

    def _read_text(self, completion: Completion) -> None:
        """A turn without a tool call may still state its verdict in words."""
        parsed = parse_verdict(completion.text, completion.finish_reason, menu_of(self._task))
        if parsed.answer is not None:
            self._toolbox.final = parsed.answer
        else:
            self._say(Message("user", render.fill("answer_by_tool", {"options": render.options(self._task)})))

    def _say(self, message: Message) -> None:
        self._messages.append(message)
        self._trace.append(messages_event([message]))

    def _finish(self, verdict: Verdict) -> Verdict:
        own, tools = own_scores(self._task, self._toolbox.final), self._toolbox.worked()
        trace = (*self._trace, readout_event(self._task, own))
        return replace(verdict, own=own, source=self._source, usage=self._usage, tools=tools, trace=trace)


def readout_event(task: Task, own: Mapping[str, float]) -> Event:
    """The trace of the model's own answer, by label: ids are never shown and never traced."""
    return Event("readout", {"own": {task.label_of(candidate): score for candidate, score in own.items()}})


def own_scores(task: Task, final: str | float | None) -> dict[str, float]:
    """The model's own answer as a score in [0, 1] for every candidate; empty when there is none."""
    if final is None:
        return {}
    if isinstance(final, float):
        low, high = task.contract.scale
        return {task.candidates[0].id: (final - low) / (high - low)}
    if final == TIE:
        return {c.id: 0.5 for c in task.candidates}
    chosen = task.labelled(final).id
    return {c.id: float(c.id == chosen) for c in task.candidates}
