"""How many pieces of model-written Python a sandbox runs in a second, one after another, against fresh processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence

from rewardlab.errors import UserError
from rewardlab.measure.ratio import Ratio
from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.sandbox.monty import Monty
from rewardlab.sandbox.protocol import Sandbox

# What a judge writes to check a sum.
CODE = """
words = "the quick brown fox jumps over the lazy dog".split()
lengths = {word: len(word) for word in words}
print(sum(lengths.values()), sorted(lengths, key=lambda word: lengths[word])[-1])
"""
PRINTED = "32 jumps\n"


class SandboxCalls:
    """Calls a second.

    Args:
        calls: Timed calls of each sandbox that starts no process for a call.
        processes: Timed calls of what starts a process each time.
    """

    def __init__(self, calls: int, processes: int) -> None:
        self._calls = calls
        self._processes = processes

    def measure(self) -> Sequence[Ratio]:
        """A ratio for monty, and one for bubblewrap where it works.

        Raises:
            UserError: When a sandbox does not print what Python prints.
        """
        fresh = _fresh(self._processes)
        found = []
        for sandbox, calls in ((Monty(), self._calls), (Bubblewrap(), self._processes)):
            try:
                if not sandbox.available():
                    rate = asyncio.run(_rate(sandbox, calls))
                    what = f"sandbox calls/s, {sandbox.name}"
                    found.append(Ratio(what, rate, "a fresh python process", fresh, "1/s", raw={"calls": calls}))
            finally:
                sandbox.close()
        return found


async def _rate(sandbox: Sandbox, calls: int) -> float:
    await sandbox.run(CODE)  # the first call starts the workers
    started = time.perf_counter()
    for _ in range(calls):
        execution = await sandbox.run(CODE)
        if execution.stdout != PRINTED:
            raise UserError(f"{sandbox.name} printed {execution.stdout!r} {execution.error}, Python prints {PRINTED!r}")
    return calls / (time.perf_counter() - started)


def _fresh(calls: int) -> float:
    command = [sys.executable, "-c", CODE]
    started = time.perf_counter()
    for _ in range(calls):
        if subprocess.run(command, capture_output=True, text=True, check=True).stdout != PRINTED:
            raise UserError("Python does not print what it should")
    return calls / (time.perf_counter() - started)
