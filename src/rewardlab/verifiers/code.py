"""Whether a candidate program passes tests, decided outside of the sandbox that runs it.

The tests may be anybody's, a model's among them: plain assertions, statements, or functions whose names begin with
"test". The program and the tests run in two processes of one sandbox (`rewardlab.verifiers.trial` says why), and the
verdict counts only with a nonce that is drawn for the run and never comes near the program. The sandbox must be
a real CPython that can start a process, so monty will not do.

Tests that need what cannot pass between two processes (a callback, `isinstance` with a class of the program, a package
that is not there) are unfit and say nothing: UNSURE. A run that ends without a verdict is UNSURE too.
"""

from __future__ import annotations

import ast
import json
import re
import secrets
import textwrap
from pathlib import Path
from typing import Any

from rewardlab.sandbox.protocol import Execution, Sandbox
from rewardlab.verdict import Decision
from rewardlab.verifiers import trial
from rewardlab.verifiers.check import Check, decided
from rewardlab.verifiers.prose import layout

_TRIAL = Path(trial.__file__).read_text(encoding="utf-8")
_LONGEST_BARE = 100_000  # parsing takes seconds for a million characters
_PYTHON = ("python", "py")
_DEFINES = re.compile(r"^(?:async[ ]def|def|class|import|from)[ ]", re.MULTILINE)


def extract_code(text: str) -> str:
    """The Python program in an answer.

    Blocks marked as Python count before unmarked ones. Of several, those that define or import something are joined in
    order, and without any such block the last one is taken. An answer without blocks is a program when it parses.

    Returns:
        The program, or "" when there is none.

    >>> extract_code("Here:\\n```python\\ndef f():\\n    return 1\\n```\\nUse it.")
    'def f():\\n    return 1'
    """
    blocks = [(block.info.lower(), textwrap.dedent(block.content)) for block in layout(text).blocks]
    marked = [body for info, body in blocks if info.startswith(_PYTHON)] or [body for info, body in blocks if not info]
    if not marked:
        return text if not blocks and text.strip() and len(text) <= _LONGEST_BARE and _parses(text) else ""
    defining = [body for body in marked if _DEFINES.search(body)]
    return "\n\n".join(defining or marked[-1:])


def has_program(text: str) -> bool:
    """Whether an answer holds a program that defines or imports something, so that tests could use it.

    >>> has_program("Sorry."), has_program("7"), has_program("def f():\\n    return 1")
    (False, False, True)
    """
    return bool(_DEFINES.search(extract_code(text)))


async def check_code(program: str, tests: str, sandbox: Sandbox, seconds: float = 10.0) -> Check:
    """Whether a program passes all tests.

    Args:
        program: Python source; `extract_code` takes it out of an answer.
        tests: Python source that uses the program's names as globals.
        sandbox: Where to run them.
        seconds: Time limit for the whole run; a program that needs longer fails.

    Returns:
        SATISFIED when every case passes; VIOLATED at a failed one, when the program does not load, or at the time
        limit; UNSURE when the tests are unfit or absent, or the run ended without a verdict.
    """
    if not program.strip():
        return Check(Decision.UNSURE, "There is no program to test.")
    nonce = secrets.token_hex(16)
    inputs = {"trial_source": _TRIAL, "program": program, "tests": tests, "nonce": nonce}
    return _decide(await sandbox.run(_run_of(_TRIAL), inputs, seconds), nonce, seconds)


def _run_of(source: str) -> str:
    return f"{source}\n\njson.dumps(hold(trial_source, program, tests, nonce))\n"


def _decide(done: Execution, nonce: str, seconds: float) -> Check:
    if done.timed_out:
        return decided(False, f"The program did not finish its tests in {seconds:g} s.")
    report = _report(done.value)
    if report.get("nonce") != nonce:
        return Check(Decision.UNSURE, f"The run ended without a verdict: {done.error[:300] or 'no report'}")
    passed, total = report["passed"], report["total"]
    if report["failure"]:
        return decided(
            False, f"{passed} of {total} tests pass. First failure: {report['failure']}", str(total), str(passed)
        )
    if report["unfit"]:
        return Check(Decision.UNSURE, f"The tests do not fit the program: {report['unfit']}")
    if not total:
        return Check(Decision.UNSURE, "The tests hold no assertion.")
    return decided(True, f"All {total} tests pass.", str(total), str(passed))


def _report(value: str) -> dict[str, Any]:
    """The court's report out of the repr of its JSON text; {} when it is none."""
    try:
        report = json.loads(ast.literal_eval(value))
    except (ValueError, SyntaxError, TypeError):
        return {}
    return report if isinstance(report, dict) else {}


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
