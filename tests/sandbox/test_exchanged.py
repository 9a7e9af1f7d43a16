from __future__ import annotations

import asyncio

from rewardlab.sandbox.exchanged import Exchanged
from rewardlab.sandbox.monty import Monty
from rewardlab.sandbox.protocol import Sandbox


def test_code_finds_every_text_under_the_next_label() -> None:
    inner = Monty()
    sandbox = Exchanged(inner)
    assert isinstance(sandbox, Sandbox) and not sandbox.available() and sandbox.name != inner.name
    given = {"question": "q", "candidates": {"A": "a", "B": "b", "C": "c"}}
    done = asyncio.run(sandbox.run("(question, candidates)", given))
    assert done.value == repr(("q", {"A": "c", "B": "a", "C": "b"}))
    assert given["candidates"] == {"A": "a", "B": "b", "C": "c"}
    assert asyncio.run(sandbox.run("1 + 1")).value == "2"
    inner.close()
