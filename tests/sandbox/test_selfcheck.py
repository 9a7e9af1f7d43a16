"""Both sandboxes contain every attack, and the check is able to see an attack succeed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.sandbox.monty import Monty
from rewardlab.sandbox.protocol import Execution, Sandbox
from rewardlab.sandbox.selfcheck import ATTACKS, Attack, check, examine, self_check

HARMLESS_IF_THEY_SUCCEED = [
    "stack", "error of great size", "host file", "account list", "environment", "environment of other processes",
    "walk from an object to its builtins", "frames and modules of the interpreter", "network", "write to the host",
    "kill a host process",
]  # fmt: skip


class Unprotected:
    """No sandbox at all: a plain process, with a stack that is never too deep."""

    name = "unprotected"

    def available(self) -> str:
        return ""

    async def run(self, code: str, inputs: Mapping[str, Any] | None = None, seconds: float = 3.0) -> Execution:
        program = f"import json\nglobals().update(json.loads({json.dumps(inputs)!r}))\n{code}"
        if "f(n + 1)" in code:
            program = "print('GOT IT')"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
        return Execution(ok=done.returncode == 0, stdout=done.stdout, error=done.stderr, seconds=0.1)


class Unavailable(Unprotected):
    def available(self) -> str:
        return "not here"


@pytest.fixture(scope="module", params=[Monty, Bubblewrap], ids=["monty", "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    made: Sandbox = request.param(workers=1)
    if reason := made.available():
        pytest.skip(reason)
    return made


def test_there_are_enough_attacks_with_names_of_their_own() -> None:
    assert len({a.name for a in ATTACKS}) == len(ATTACKS) >= 12


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name.replace(" ", "_"))
def test_attack_is_contained(sandbox: Sandbox, attack: Attack) -> None:
    result = asyncio.run(check(sandbox, attack))
    assert result.contained, result.detail


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.name in HARMLESS_IF_THEY_SUCCEED], ids=lambda a: a.name)
def test_check_sees_a_breach(attack: Attack) -> None:
    result = asyncio.run(check(Unprotected(), attack))
    assert not result.contained
    assert result.detail


def test_named_breaches_exist() -> None:
    assert set(HARMLESS_IF_THEY_SUCCEED) <= {a.name for a in ATTACKS}


def test_survivor_is_seen() -> None:
    marker_seen = next(a for a in ATTACKS if a.name == "child that outlives its parent")
    left: list[subprocess.Popen[bytes]] = []

    class Leaky(Unprotected):
        async def run(self, code: str, inputs: Mapping[str, Any] | None = None, seconds: float = 3.0) -> Execution:
            assert inputs is not None
            sleeper = "import time; print('', flush=True); time.sleep(20)"
            child = subprocess.Popen([sys.executable, "-c", sleeper, inputs["marker"]], stdout=subprocess.PIPE)
            assert child.stdout is not None
            child.stdout.readline()
            left.append(child)
            return Execution(ok=True)

    result = asyncio.run(check(Leaky(), marker_seen))
    left[0].kill()
    left[0].communicate()
    assert not result.contained
    assert "live on" in result.detail


def test_unavailable_sandbox_shows_nothing() -> None:
    assert asyncio.run(self_check(Unavailable())) == []
    examined = asyncio.run(examine(Unavailable(), calls=3))
    assert (examined.unavailable, examined.results) == ("not here", ())
    missing = asyncio.run(examine(Bubblewrap(program="nowhere"), calls=3))
    assert "apt-get install bubblewrap" in missing.unavailable
