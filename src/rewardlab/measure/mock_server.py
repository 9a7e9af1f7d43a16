"""An OpenAI-compatible server that answers every chat after the same time, in a process of its own on loopback.

It stands for a model server that never saturates, so what is missing to the ideal rate is the harness's own doing (and
the server's, which shares the machine). `python -m rewardlab.measure.mock_server SECONDS` writes its port and serves
until it is stopped.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any
from urllib.request import urlopen

from aiohttp import web

MODEL = "mock"
ANSWER = "[[A]]"


class MockServer:
    """The server as a context manager.

    Args:
        latency: Seconds from a request to its answer.
    """

    def __init__(self, latency: float) -> None:
        self._latency = latency

    def __enter__(self) -> MockServer:
        command = [sys.executable, "-m", __name__, str(self._latency)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    @property
    def url(self) -> str:
        """Where its API begins."""
        return f"http://127.0.0.1:{self._port}/v1"

    def stats(self) -> dict[str, int]:
        """Calls so far, and the most that were in flight at a time."""
        with urlopen(f"http://127.0.0.1:{self._port}/stats") as reply:
            found: dict[str, int] = json.load(reply)
        return found


class _Handler:
    """Answers, and counts."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._calls = self._in_flight = self._peak = 0

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._calls += 1
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        await asyncio.sleep(self._latency)
        self._in_flight -= 1
        tokens = sum(len(message["content"]) for message in body["messages"]) // 4
        reply: dict[str, Any] = {
            "object": "chat.completion",
            "model": MODEL,
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}},
            ],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 4, "total_tokens": tokens + 4},
        }
        return web.json_response(reply)

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def stats(self, _: web.Request) -> web.Response:
        return web.json_response({"calls": self._calls, "peak": self._peak})


async def _serve(latency: float) -> None:
    handler = _Handler(latency)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/chat/completions", handler.chat)
    app.router.add_get("/v1/models", handler.models)
    app.router.add_get("/stats", handler.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
