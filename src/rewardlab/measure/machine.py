"""The machine that figures were taken on: what decides speed, and nothing that names it."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from rewardlab.store.manifest import git_commit, versions


def describe() -> dict[str, Any]:
    """Cores, processor, memory, system, versions, commit, and how busy the machine is just now."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
        "commit": git_commit(),
        "load": round(os.getloadavg()[0], 2),
    }


def _field(file: str, name: str) -> str:
    """The first value of a name in a file of lines "name : value"; "" where there is none."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == name), "")
