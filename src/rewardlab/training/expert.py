"""The expert that judges are tuned to imitate: a script that judges by one recomputed result.

It sees what a judge sees and nothing else: the question, the candidates, the tools on offer and what they answered. It
writes the computation that the question asks for (`checks`) as code that also says which candidates end in its result,
records the one that does as evidence, and answers with it. Where a reference can be compared it runs that verifier
instead. Without tools it gives the same answer at once, or works the computation out in words first. What it cannot
settle it does not answer: such a judgment has no verdict and is no demonstration.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rewardlab.models.protocol import Tool
from rewardlab.models.scripted import Call, Fail, Reply
from rewardlab.sandbox.protocol import Sandbox
from rewardlab.task import Message, Task
from rewardlab.training.checks import expression_of, worked
from rewardlab.verdict import Status

# The result, and the candidates that end in it: their letters alone, which a small model has then but to copy.
CODE = "v = {expression}\n[k for k, c in candidates.items() if c.rstrip('.').endswith(f' {{v}}')]"
REFERENCE = "verify-reference"

_UNSETTLED = Fail(Status.SKIPPED, "the expert could not settle it")


@dataclass(frozen=True, slots=True)
class Expert:
    """Plays the model in one judgment; `reply` and `scores` are scripts of a `ScriptedGenerator`.

    Attributes:
        expression: What the question asks to be computed, as Python.
        value: What that comes to.
        label: The only candidate that ends in it; "" when there is none or several do.
    """

    expression: str
    value: str
    label: str

    def reply(self, messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> Reply:
        """The next turn: one tool call, or the reasoned answer where there are no tools."""
        if not tools:
            return self.reasoned() if self.label else _UNSETTLED
        offered = {tool.name: tool for tool in tools}
        made = [call.name for message in messages for call in message.tool_calls]
        if "use_skill" in offered:
            return Call("use_skill", {"skill": offered["use_skill"].parameters["properties"]["skill"]["enum"][0]})
        if not made or made == ["use_skill"]:
            runnable = offered.get("run_resource")
            if runnable and REFERENCE in runnable.parameters["properties"]["resource"]["enum"]:
                return Call("run_resource", {"resource": REFERENCE})
            return Call("python_sandbox", {"code": CODE.format(expression=self.expression)})
        favoured = [label for message in messages if message.role == "tool" for label in favoured_by(message.content)]
        if len(favoured) != 1:
            return _UNSETTLED
        if made[-1] == "python_sandbox" and "record_evidence" in offered:
            evidence = {"candidate": favoured[0], "decision": "satisfied", "source": f"call {len(made)}"}
            return Call("record_evidence", {"criterion": "final answer", **evidence})
        return Call("final_answer", {"verdict": favoured[0]})

    def scores(self, messages: Sequence[Message], continuations: Sequence[str]) -> Sequence[float]:
        """Log-probabilities for a judge that reads labels: all on the expert's, or level where it has none."""
        return [0.0 if text == self.label else -30.0 for text in continuations]

    def reasoned(self) -> str:
        """The computation in words, and the verdict."""
        steps = [*worked(self.expression), f"the result is {self.value}, and candidate {self.label} gives it"]
        return f"{'; '.join(steps)}.\nVerdict: {self.label}"


def favoured_by(result: str) -> list[str]:
    """The candidates that a tool's answer speaks for.

    >>> favoured_by("value: ['B']"), favoured_by("A: satisfied (final answer): ...")
    (['B'], ['A'])
    """
    listed = re.search(r"^value: \[(.*)\]$", result, re.MULTILINE)
    computed = re.findall(r"'([A-Z])'", listed[1]) if listed else []
    return computed + re.findall(r"^([A-Z]): satisfied \(", result, re.MULTILINE)


async def expert_on(task: Task, sandbox: Sandbox) -> Expert | None:
    """The expert for one task; None when it does not understand the question.

    Args:
        task: As a judge gets it.
        sandbox: Where the expert computes.
    """
    expression = expression_of("\n".join(message.content for message in task.question))
    if not expression:
        return None
    done = await sandbox.run(f"print({expression})")
    value = done.stdout.removesuffix("\n")
    pairs = zip(task.labels, task.candidates, strict=True)
    ending = [label for label, candidate in pairs if candidate.text.rstrip(".").endswith(f" {value}")]
    return Expert(expression, value, ending[0] if done.ok and len(ending) == 1 else "")
