"""An OpenAI-compatible server on loopback that misbehaves on cue.

It runs in a thread of its own, so that a test may use any event loop or none. What it answers to the n-th call is said
by a function of (n, body); everything it saw is kept.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One answer of the server: a status and a body, after some seconds; `hang` never answers, `cut` hangs up,
    `stall` sends half of the body and then nothing."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    seconds: float = 0.0
    hang: bool = False
    cut: bool = False
    stall: bool = False


def completion(
    text: str | None = "[[A]]", finish: str = "stop", *, usage: Body | None = None, **message: Any
) -> Answer:
    """A well-formed chat completion."""
    return Answer(
        {
            "id": "x",
            "object": "chat.completion",
            "model": "served-by-test",
            "choices": [
                {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
            ],
            "usage": usage or {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }
    )


def too_many(retry_after: str | None = None) -> Answer:
    """HTTP 429."""
    return Answer({"error": {"message": "slow down"}}, 429, {"Retry-After": retry_after} if retry_after else {})


class FaultServer:
    """The server; use it as a context manager.

    Args:
        answer: The answer to the n-th chat call, n from 0.
        models: What `/models` lists; an `Answer` to answer something else.
    """

    def __init__(
        self,
        answer: Callable[[int, Body], Answer] = lambda n, body: completion(),
        models: list[Body] | Answer | None = None,
    ) -> None:
        self.answer = answer
        self.models = [{"id": "test-model", "root": "org/test-model"}] if models is None else models
        self.bodies: list[Body] = []
        self.headers: list[Mapping[str, str]] = []
        self.times: list[float] = []
        self.in_flight = self.peak = 0
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls(self) -> int:
        return len(self.bodies)

    def __enter__(self) -> FaultServer:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        """Listens, on the same port as before if there was one."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    def stop(self) -> None:
        """Closes every connection and stops listening."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()

    async def _start(self) -> None:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)  # 0 would wait for ever
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = site._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        number = len(self.bodies)
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.times.append(time.monotonic())
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            answer = self.answer(number, body)
            await asyncio.sleep(3600 if answer.hang else answer.seconds)
        finally:
            self.in_flight -= 1
        if answer.cut:
            request.transport.abort()
        if answer.stall:
            return await _half(request, answer)
        return _response(answer)

    async def _list(self, _: web.Request) -> web.Response:
        if isinstance(self.models, Answer):
            return _response(self.models)
        return web.json_response({"object": "list", "data": self.models})


async def _half(request: web.Request, answer: Answer) -> web.StreamResponse:
    raw = json.dumps(answer.body).encode()
    response = web.StreamResponse(headers={"Content-Type": answer.content_type, "Content-Length": str(len(raw))})
    await response.prepare(request)
    await response.write(raw[: len(raw) // 2])
    await asyncio.sleep(3600)
    return response


def _response(answer: Answer) -> web.Response:
    raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(body=raw, status=answer.status, headers=headers)
