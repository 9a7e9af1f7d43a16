"""A scripted model that uses everything it is offered once, and then answers.

What a judge can be brought to send is what this model makes it send: the whole skill, every resource, every verifier's
findings, the inputs of the sandbox. Without tools it gives no usable answer, so that repairs are seen too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from rewardlab.judges.protocol import Judge
from rewardlab.models.protocol import Generator, Tool
from rewardlab.models.scripted import Call, Reply, Request, ScriptedGenerator
from rewardlab.task import Message, Task
from rewardlab.verdict import Verdict

JudgeMaker = Callable[[Generator], Judge]

SNIPPETS = (
    "print(question)",
    "print(candidates)",
    "print(sorted(candidates.items()), len(question))",
    "print(task, gold, resources, order)",  # what a curious model would try; none of it should exist
)


def walk(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> Reply:
    """The script of a `ScriptedGenerator`."""
    offered = {tool.name: tool for tool in tools}
    if "use_skill" in offered:
        return Call("use_skill", {"skill": _options(offered["use_skill"], "skill")[0]})
    for name in ("run_resource", "view_resource"):
        if name in offered:
            return Call(name, {"resource": _options(offered[name], "resource")[0]})
    if "list_resources" in offered:
        return Call("list_resources")
    ran = sum(call.name == "python_sandbox" for message in messages for call in message.tool_calls)
    if "python_sandbox" in offered and ran < len(SNIPPETS):
        return Call("python_sandbox", {"code": SNIPPETS[ran]})
    called = {call.name for message in messages for call in message.tool_calls}
    if "run_tests" in offered and "run_tests" not in called:
        return Call("run_tests", {"tests": "assert True"})
    if "record_evidence" in offered and "record_evidence" not in called:
        label = _options(offered["record_evidence"], "candidate")[0]
        given = {"criterion": "seen", "candidate": label, "decision": "unsure", "source": "call 1"}
        return Call("record_evidence", given)
    if "final_answer" in offered:
        verdict = offered["final_answer"].parameters["properties"]["verdict"]
        return Call("final_answer", {"verdict": verdict["enum"][0] if "enum" in verdict else verdict["minimum"]})
    return "I would rather not say."


def _options(tool: Tool, field: str) -> list[str]:
    options: list[str] = tool.parameters["properties"][field]["enum"]
    return options


def walked(make: JudgeMaker, task: Task) -> tuple[list[Request], Verdict]:
    """All requests of a judge on one task, and its verdict."""
    generator = ScriptedGenerator(walk)
    verdict = asyncio.run(make(generator).judge(task))
    return generator.requests, verdict
