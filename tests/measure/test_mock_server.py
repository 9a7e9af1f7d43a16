from __future__ import annotations

import asyncio
import time

from rewardlab.measure.mock_server import ANSWER, MODEL, MockServer
from rewardlab.models.endpoint import Endpoint
from rewardlab.models.protocol import Completion, Sampling
from rewardlab.randomness import stream
from rewardlab.task import Message


def test_it_answers_after_its_latency_and_counts_what_is_in_flight() -> None:
    async def ask(url: str) -> list[Completion]:
        endpoint = Endpoint(MODEL, [url], stream(0, "endpoint"), concurrency=3)
        try:
            assert (await endpoint.identity())["served"] == MODEL
            return await asyncio.gather(*(endpoint.chat([Message("user", "x" * 40)], Sampling()) for _ in range(6)))
        finally:
            await endpoint.aclose()

    with MockServer(0.2) as server:
        started = time.monotonic()
        completions = asyncio.run(ask(server.url))
        assert time.monotonic() - started >= 0.4
        assert server.stats() == {"calls": 6, "peak": 3}
    assert {c.text for c in completions} == {ANSWER}
    assert completions[0].usage.prompt_tokens == 10
