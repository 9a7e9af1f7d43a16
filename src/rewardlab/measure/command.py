"""Our commands and bare Python, run as a user runs them: each in its own process, from the repository's root."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rewardlab.entry import CONFIGS
from rewardlab.errors import UserError

ROOT = CONFIGS.parent


class Ended(NamedTuple):
    """A command that has run to its end.

    Attributes:
        seconds: From start to end.
        peak: The most memory that its process held at a time, in bytes; 0 where the system does not say.
    """

    seconds: float
    peak: int


def python(*arguments: str) -> Ended:
    """Run python with these arguments. Its output is dropped.

    Raises:
        UserError: When it ends with another status than 0.
    """
    command = [sys.executable, *arguments]
    with tempfile.TemporaryFile("w+") as said:
        started, peak = time.perf_counter(), 0
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said) as process:
            while process.poll() is None:
                peak = max(peak, _high_water(process.pid))
                time.sleep(0.005)
        seconds = time.perf_counter() - started
        if process.returncode:
            said.seek(0)
            raise UserError(f"{arguments[0]} ended with status {process.returncode}: {said.read().strip()[-500:]}")
    return Ended(seconds, peak)


def evaluate(server: str, results: Path, *overrides: str) -> Ended:
    """Run experiments/evaluate.py with the static judge on pairs, against a server of the model `mock`.

    Args:
        server: Base URL.
        results: Folder of the results.
        overrides: Further settings.

    Raises:
        UserError: When it fails.
    """
    common = ("benchmark.form=pair", "judge=direct", "model=endpoint", "model.name=mock", f"model.base_urls=[{server}]")
    return python("experiments/evaluate.py", *common, f"results_dir={results}", *overrides)


def _high_water(pid: int) -> int:
    """Peak resident memory in bytes; unlike a child's ru_maxrss, it leaves out what the parent held at the fork."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0
