"""The manifest: what ran, with what, when, and how it went. Written last, read by tables and reports."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import rewardlab
from rewardlab.store.identity import Identity, run_id
from rewardlab.verdict import Judgment, Source, Usage

RECORDED_VERSIONS = ("torch", "transformers", "lightning", "numpy", "scipy", "statsmodels", "pydantic-monty")


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries that can move a number."""
    found = {"python": platform.python_version(), "rewardlab": rewardlab.__version__}
    for name in RECORDED_VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


# What a commit has to say something about; results and reports are what runs write.
_DECIDING = (":/src", ":/configs", ":/skills", ":/experiments", ":/pyproject.toml", ":/constraints.txt")


def git_commit(folder: Path | None = None) -> str:
    """The checked-out commit, "unknown" outside a checkout.

    Args:
        folder: In the checkout; by default where this package lies.

    Returns:
        Twelve digits, with "+changes" when code or configs differ from the commit.
    """
    where = folder or Path(rewardlab.__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=where, capture_output=True, text=True, check=True).stdout.strip()

    try:
        dirty = bool(git("status", "--porcelain", "--untracked-files=no", "--", *_DECIDING))
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if dirty else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def make_manifest(
    identity: Identity,
    judgments: Iterable[Judgment],
    extra_usage: Usage,
    seconds_first_to_last_call: float,
    seconds_total: float,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """Put a manifest together.

    Args:
        identity: Who the run is.
        judgments: Every row.
        extra_usage: What superseded attempts cost.
        seconds_first_to_last_call: From the first judgment's start to the last one's end, over all sessions of the run.
        seconds_total: Wall time of the session that finished the run.
        details: What else belongs in it (names for tables, protocol faults, endpoint counts).

    Returns:
        A JSON-like dictionary.
    """
    statuses: Counter[str] = Counter()
    sources: Counter[Source] = Counter()
    usage = extra_usage
    for judgment in judgments:
        statuses[judgment.verdict.status.value] += 1
        sources[judgment.verdict.source] += 1
        usage += judgment.verdict.usage
    return {
        "run_id": run_id(identity),
        "identity": dict(identity),
        "versions": versions(),
        "git_commit": git_commit(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "judgments": statuses.total(),
        "status": dict(sorted(statuses.items())),
        "source": {source.value: sources[source] for source in Source},
        "usage": asdict(usage),
        "seconds_first_to_last_call": round(seconds_first_to_last_call, 3),
        "seconds_total": round(seconds_total, 3),
        **details,
    }
