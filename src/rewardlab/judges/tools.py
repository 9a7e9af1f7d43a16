"""The tools of the skill judge, and the ledger that they fill.

A `Toolbox` lives for one judgment. It says which tools are on offer, runs the calls, keeps the ledger, and knows which
calls happened, so that evidence which cites nothing real is kept but marked unsupported. Arguments are schema-bound to
what exists for the sample: a resource id is one of the index, a candidate is one of the labels. A call that breaks the
schema all the same gets an error that the model can act on.

What a tool brings (a resource's text, output of code, findings that quote candidates) is data: the model gets it
between fences, as it gets the candidates. Only the skill's own text stands free. The trace says of every call whether
it worked, and if not, why not (`Fault`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import jsonschema

from rewardlab.errors import UnknownName
from rewardlab.judges import render
from rewardlab.judges.parse import TIE
from rewardlab.judges.verify import Verifiers
from rewardlab.models.protocol import Tool
from rewardlab.sandbox.protocol import Sandbox
from rewardlab.skills.bank import Bank, Use
from rewardlab.task import Form, Task, ToolCall
from rewardlab.verdict import Decision, Event, Evidence, Hardness
from rewardlab.verifiers.code import has_program


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one judgment may use.

    Attributes:
        turns: Model turns; in the last one only the final answer is on offer.
        lists: Times that the index is listed again; loading the skill shows it once.
        views: Resources opened.
        runs: Verifiers run.
        sandbox_calls: Pieces of code run.
        tests: Times that the model's own tests are run on programs.
        records: Evidence entries that the model makes itself.
        text_chars: Characters of one tool result shown to the model.
        output_chars: Characters of the output of one piece of code shown to the model; None for `text_chars`.
        code_chars: Longest piece of code.
        note_chars: Longest free text in an evidence entry.
        sandbox_seconds: Time limit of one piece of code.
    """

    turns: int = 8
    lists: int = 1
    views: int = 5
    runs: int = 3
    sandbox_calls: int = 3
    tests: int = 2
    records: int = 12
    text_chars: int = 8000
    output_chars: int | None = None
    code_chars: int = 6000
    note_chars: int = 400
    sandbox_seconds: float = 3.0


_DISCLOSING = ("use_skill", "view_resource", "run_resource")  # the trace keeps the hash of what these brought, uncut


class Fault(StrEnum):
    """Why a tool call did not work."""

    NOT_OFFERED = "not_offered"  # no tool of that name was on offer
    PHANTOM = "phantom"  # it named a resource that the sample does not have
    INVALID = "invalid"  # its arguments break the schema in another way
    REPEATED = "repeated"  # the same call was made before
    FAILED = "failed"  # it ran and ended in an error


class _Result(NamedTuple):
    """What a call gave: `data` is foreign text; `fault` is None when the call worked."""

    text: str
    fault: Fault | None = None
    data: bool = False


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _given(arguments: Mapping[str, Any]) -> str:
    """One canonical text a call, so that a repeat in other words of JSON is a repeat all the same."""
    return str(arguments.get("resource") or json.dumps(arguments, sort_keys=True))


class Toolbox:
    """Tools of one judgment.

    Args:
        task: What is judged.
        bank: The sample's resources; None for a judge without a skill.
        skill: Name and text of the skill; None for a judge without one.
        sandbox: Where model-written code runs; None for a judge without one.
        verifiers: What runs the verifier resources.
        limits: How much may be used.
        loaded: The skill is loaded from the start.
        evidence_first: The final answer is on offer only once the ledger has a supported entry, and in the last turn.

    Attributes:
        ledger: The evidence so far.
        final: The model's final answer, a label, "Tie" or a number; None until it is given.
        events: What the tools did, for the trace.
    """

    def __init__(
        self,
        task: Task,
        bank: Bank | None,
        skill: tuple[str, str] | None,
        sandbox: Sandbox | None,
        verifiers: Verifiers | None,
        limits: Limits,
        loaded: bool = False,
        evidence_first: bool = False,
    ) -> None:
        self.ledger: list[Evidence] = []
        self.final: str | float | None = None
        self.events: list[Event] = []
        self._task, self._bank, self._skill = task, bank, skill
        self._sandbox, self._verifiers, self._limits = sandbox, verifiers, limits
        self._loaded = loaded
        self._evidence_first = evidence_first
        self._worked: set[str] = set()  # the calls that evidence may rest on
        self._used: dict[str, set[str]] = defaultdict(set)  # tool to what it was given: a menu shows nothing twice

    def offered(self, last: bool) -> tuple[Tool, ...]:
        """The tools on offer now: first the skill, then its tools, and in the last turn the answer only."""
        if last:
            return (self._final_answer(),)
        tools: list[Tool] = []
        if self._skill and not self._loaded:
            name = _object({"skill": {"enum": [self._skill[0]]}})
            tools.append(Tool("use_skill", "Load the skill: its procedure and the list of its resources.", name))
        else:
            tools += self._skill_tools()
        if tools and self._evidence_first and not any(entry.supported for entry in self.ledger):
            return tuple(tools)
        return (*tools, self._final_answer())

    def _skill_tools(self) -> list[Tool]:
        tools: list[Tool] = []
        index = self._bank.index() if self._bank else []
        left, used = self._limits, self._used
        runnable = [e.id for e in index if e.use is Use.RUN and e.id not in used["run_resource"]]
        readable = [e.id for e in index if e.use is Use.READ and e.id not in used["view_resource"]]
        if runnable and len(used["run_resource"]) < left.runs:
            fields = _object({"resource": {"enum": runnable}})
            tools.append(
                Tool("run_resource", "Run a verifier on every candidate; its findings go to the ledger.", fields)
            )
        if readable and len(used["view_resource"]) < left.views:
            fields = _object({"resource": {"enum": readable}})
            tools.append(Tool("view_resource", "Read a resource.", fields))
        if index and len(used["list_resources"]) < left.lists:
            tools.append(Tool("list_resources", "List the resources again.", _object({})))
        if self._sandbox and len(used["python_sandbox"]) < left.sandbox_calls:
            fields = _object({"code": {"type": "string", "maxLength": left.code_chars}})
            about = (
                "Run Python. `question` is the question, `candidates` maps labels to texts. Print what you want to see."
            )
            tools.append(Tool("python_sandbox", about, fields))
        if self._tests_programs() and len(used["run_tests"]) < left.tests:
            fields = _object({"tests": {"type": "string", "maxLength": left.code_chars}})
            about = (
                "Run tests of your own on every candidate's program: Python assertions that use the names it defines."
            )
            tools.append(Tool("run_tests", about, fields))
        if self._bank and len(used["record_evidence"]) < left.records:
            tools.append(self._record_evidence())
        return tools

    def _tests_programs(self) -> bool:
        """Whether there are programs among the candidates, and a place to run them."""
        if self._verifiers is None or "tests" in self._verifiers.unavailable():
            return False
        return any(has_program(candidate.text) for candidate in self._task.candidates)

    def _record_evidence(self) -> Tool:
        text = {"type": "string", "maxLength": self._limits.note_chars}
        fields = {
            "criterion": text,
            "candidate": {"enum": list(self._task.labels)},
            "decision": {"enum": [d.value for d in Decision]},
            "source": text,
        }
        about = (
            "Put one observation into the ledger. `source` is the call it rests on (call 2) or words quoted exactly."
        )
        return Tool("record_evidence", about, _object(fields))

    def _final_answer(self) -> Tool:
        if self._task.form is Form.RATE:
            low, high = self._task.contract.scale
            fields = {"verdict": {"type": "integer", "minimum": low, "maximum": high}}
        else:
            fields = {"verdict": {"enum": [*self._task.labels, *([TIE] if self._task.contract.ties_allowed else [])]}}
        return Tool("final_answer", "End the judgment with your verdict.", _object(fields))

    async def call(self, call: ToolCall, offered: tuple[Tool, ...]) -> str:
        """Run one call and return what the model is told. Never raises for what the model did."""
        number = f"call {len(self.events) + 1}"
        result = await self._answer(call, offered, number)
        if result.fault is None:
            self._worked.add(number)
        most = self._limits.text_chars
        if call.name == "python_sandbox":
            most = self._limits.output_chars or most
        shown, cut = result.text[:most], " (cut)" if len(result.text) > most else ""
        detail = {"name": call.name, "arguments": call.arguments, "ok": result.fault is None, "fault": result.fault}
        if result.fault is None and call.name in _DISCLOSING:
            detail["sha256"] = hashlib.sha256(result.text.encode()).hexdigest()
        self.events.append(Event("tool", {**detail, "result": shown}))
        return f"{number}{cut}:\n{render.fence(shown)}" if result.data else f"{number}{cut}: {shown}"

    async def _answer(self, call: ToolCall, offered: tuple[Tool, ...], number: str) -> _Result:
        tool = next((t for t in offered if t.name == call.name), None)
        if tool is None:
            said, names = render.neutralise(repr(call.name)), ", ".join(t.name for t in offered)
            return _Result(f"there is no tool {said} now; use one of {names}", self._fault(call, Fault.NOT_OFFERED))
        try:
            arguments = json.loads(call.arguments or "{}")
            jsonschema.validate(arguments, dict(tool.parameters))
        except (ValueError, jsonschema.ValidationError) as error:
            problem = render.neutralise(str(getattr(error, "message", error)))
            return _Result(f"the arguments are not valid: {problem}", self._fault(call, Fault.INVALID))
        given = _given(arguments)
        if given in self._used[call.name]:
            return _Result("you made this call before", Fault.REPEATED)
        self._used[call.name].add(given)
        try:
            return await self._run(call.name, arguments, number)
        except UnknownName as error:
            return _Result(str(error), Fault.PHANTOM)

    def _fault(self, call: ToolCall, otherwise: Fault) -> Fault:
        """Why a call was refused: menus shrink, so one that is off the menu may be a repeat or name a phantom."""
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            return otherwise
        if not isinstance(arguments, dict):
            return otherwise
        if _given(arguments) in self._used[call.name]:
            return Fault.REPEATED
        known = {entry.id for entry in self._bank.index()} if self._bank else set()
        if call.name in ("view_resource", "run_resource") and arguments.get("resource") not in (None, *known):
            return Fault.PHANTOM
        return otherwise

    async def _run(self, name: str, arguments: Mapping[str, Any], number: str) -> _Result:
        match name:
            case "use_skill" if self._skill:
                self._loaded = True
                return _Result(self.skill_text())
            case "list_resources":
                return _Result(self._index_text())
            case "view_resource" if self._bank:
                return _Result(self._bank.view(arguments["resource"]), data=True)
            case "run_resource" if self._bank and self._verifiers:
                found = await self._verifiers.run(self._bank.verifier(arguments["resource"]), self._task, number)
                self.ledger += found
                return _Result(self._findings(found), data=True)
            case "python_sandbox" if self._sandbox:
                return await self._python(arguments["code"])
            case "run_tests" if self._verifiers:
                found = await self._verifiers.run_own_tests(arguments["tests"], self._task, number)
                self.ledger += found
                return _Result(self._findings(found), data=True)
            case "record_evidence":
                return _Result(self._record(arguments))
            case _:
                self.final = (
                    arguments["verdict"] if isinstance(arguments["verdict"], str) else float(arguments["verdict"])
                )
                return _Result("the judgment ends")

    def skill_text(self) -> str:
        """The skill as it is disclosed: procedure, tools, and the index of this sample's resources."""
        return f"{self._skill[1]}\n\n{self._index_text()}" if self._skill else ""

    def worked(self) -> dict[str, int]:
        """How often each tool was called and worked."""
        return dict(Counter(event.detail["name"] for event in self.events if event.detail["ok"]))

    def _index_text(self) -> str:
        entries = self._bank.index() if self._bank else []
        return "Resources:\n" + "\n".join(entry.line for entry in entries)

    def _findings(self, found: list[Evidence]) -> str:
        lines = [
            f"{self._task.label_of(entry.candidate) if entry.candidate else 'all'}: {entry.decision.value} "
            f"({entry.criterion}): {entry.observation}"
            for entry in found
        ]
        return "\n".join(lines) or "nothing to check in these candidates"

    async def _python(self, code: str) -> _Result:
        assert self._sandbox is not None
        inputs = {
            "question": "\n".join(m.content for m in self._task.question),
            "candidates": {label: c.text for label, c in zip(self._task.labels, self._task.candidates, strict=True)},
        }
        done = await self._sandbox.run(code, inputs, self._limits.sandbox_seconds)
        if not done.ok:
            return _Result(f"{done.stdout}error: {done.error}", Fault.FAILED, data=True)
        shown = done.stdout + (f"value: {done.value}" if done.value else "")
        return _Result(shown or "it ran and printed nothing", data=True)

    def _record(self, arguments: Mapping[str, Any]) -> str:
        candidate = self._task.labelled(arguments["candidate"])
        source = arguments["source"].strip()
        supported = self._is_real(source, candidate.text)
        self.ledger.append(
            Evidence(
                criterion=arguments["criterion"],
                candidate=candidate.id,
                observation=source,
                decision=Decision(arguments["decision"]),
                hardness=Hardness.SOFT,
                source=source,
                supported=supported,
            )
        )
        return (
            "recorded" if supported else "recorded, but its source is neither a call that worked nor an exact quotation"
        )

    def _is_real(self, source: str, candidate: str) -> bool:
        """Whether a source names a call that worked, or quotes the candidate or the question by three words or more."""
        if source.lower() in self._worked:
            return True
        quoted = render.restore(source.strip("\"'“”‘’ "))
        texts = [candidate, *(m.content for m in self._task.question)]
        return len(quoted.split()) >= 3 and any(quoted in text for text in texts)
