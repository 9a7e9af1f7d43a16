"""Checkers that come with a data set as Python, such as VerInstruct's: a function `check_following(instruction,
response)` that says whether a response follows an instruction.

The function runs in a sandbox within a time limit. It is called by its name alone, whatever else its source defines,
and with what its signature asks for: instruction and response, or the response where it takes one argument only. A
function that is missing, breaks, gives no truth value or does not finish settles nothing: UNSURE. Its failures are
faults of the checker and never of the response.
"""

from __future__ import annotations

from rewardlab.sandbox.protocol import Sandbox
from rewardlab.verdict import Decision
from rewardlab.verifiers.check import Check, decided

NAME = "check_following"

# Positional arguments without a default decide; a second one with a default takes the response all the same.
_CALL = f"""
import inspect as _inspect

def _decision():
    kinds = (_inspect.Parameter.POSITIONAL_ONLY, _inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = [p for p in _inspect.signature({NAME}).parameters.values() if p.kind in kinds]
    found = {NAME}(instruction, response) if len(taken) > 1 else {NAME}(response)
    return bool(found) if found is not None else None

_decision()
"""


async def check_function(source: str, instruction: str, response: str, sandbox: Sandbox, seconds: float = 5.0) -> Check:
    """Whether a response follows an instruction, as a function says.

    Args:
        source: Python that defines the function.
        instruction: What was asked.
        response: What was answered.
        sandbox: Where it runs; one with full CPython, as data sets import what they like.
        seconds: Time limit.
    """
    inputs = {"instruction": instruction, "response": response}
    done = await sandbox.run(f"{source}\n{_CALL}", inputs, seconds)
    if done.timed_out:
        return Check(Decision.UNSURE, f"The checker did not finish in {seconds:g} s.")
    if not done.ok or done.value not in ("True", "False"):
        return Check(Decision.UNSURE, f"The checker settles nothing: {done.error[:300] or done.value[:100]}")
    holds = done.value == "True"
    return decided(holds, "The checker accepts the response." if holds else "The checker rejects the response.")
