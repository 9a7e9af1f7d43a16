"""One HTTP session to OpenAI-compatible servers: sends a request once and says what its failure means.

The API key is read from the environment when connections are opened and stands in their headers only. Redirects are
not followed, so the key goes nowhere else. A `Fault` quotes the server as it is, the key perhaps included: whoever
shows it to anyone passes it through `redacted` first.

The session keeps connections alive, as many as there may be calls in flight. Proxy variables and .netrc are not heeded
unless `trust_env` says so: most servers are on the same machine or cluster, where a proxy would be wrong.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp

from rewardlab.errors import MissingRequirement, ModelError
from rewardlab.models.pool import Outcome
from rewardlab.models.retry import Again, Fault, seconds_to_wait
from rewardlab.models.wire import Malformed, decode, encode
from rewardlab.verdict import Status

# Uvicorn, and so vLLM and most others, closes idle connections after 5 s; one that is reused just then fails.
KEEP_ALIVE_SECONDS = 4.0
NOT_THERE = (502, 503, 504)  # a gateway speaks, or the server is still loading
REFUSAL_CODES = ("content_filter", "content_policy_violation")
THINKING_FIELDS = ("chat_template_kwargs", "enable_thinking")
# How OpenAI, vLLM, SGLang and llama.cpp say that a prompt does not fit into the model's context.
TOO_LONG = (
    "context_length_exceeded",
    "maximum context length",
    "model's context length",
    "maximum model length",
    "exceed_context_size_error",
    "prompt is too long",
)


class Transport:
    """Sends requests, each once.

    Args:
        connections: Most connections open at a time.
        timeout: Seconds that one request may take.
        connect_timeout: Seconds that opening a connection may take.
        api_key_env: Environment variable that holds the API key, if the servers want one.
        trust_env: Heed HTTP_PROXY and the like, and .netrc.
    """

    def __init__(
        self, connections: int, timeout: float, connect_timeout: float, api_key_env: str | None, trust_env: bool
    ) -> None:
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout)
        self._short_timeout = aiohttp.ClientTimeout(total=min(timeout, connect_timeout))
        self._api_key_env = api_key_env
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> bool:
        """Makes the session ready in the running event loop.

        Returns:
            Whether a new session was needed.

        Raises:
            MissingRequirement: When the environment variable of the key is not set.
        """
        loop = asyncio.get_running_loop()
        if self._session is not None and self._loop is loop:
            return False
        headers = {"Content-Type": "application/json"}
        if self._api_key_env is not None:
            key = self._key()
            if not key:
                raise MissingRequirement("the API key of a model endpoint", f"set the variable {self._api_key_env}")
            headers["Authorization"] = f"Bearer {key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections, keepalive_timeout=KEEP_ALIVE_SECONDS, ttl_dns_cache=300
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=self._timeout,
            trust_env=self._trust_env,
        )
        self._loop = loop
        return True

    async def aclose(self) -> None:
        """Closes the connections; `open` makes new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Sends a body to `/chat/completions`.

        Returns:
            The reply, a JSON object.

        Raises:
            Fault: When there is no such reply.
            ModelError: REFUSED when the server's content filter declined the request, TRUNCATED when the prompt leaves
                no room in the model's context.
        """
        try:
            async with self._opened().post(
                f"{url}/chat/completions", data=encode(body), allow_redirects=False
            ) as response:
                raw = await response.read()
        except aiohttp.ConnectionTimeoutError:
            raise Fault(f"{url}: no connection in time", Again.COUNTED) from None
        except TimeoutError:
            message = f"{url}: no answer within {self._timeout.total:g} s"
            raise Fault(message, Again.COUNTED, Outcome.TIMED_OUT, Status.TIMEOUT) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Fault(f"{url}: {type(error).__name__}: {error}", Again.COUNTED) from None
        if response.status != 200:
            raise self._failure(url, response.status, response.headers.get("Retry-After"), raw)
        try:
            reply = decode(response.headers.get("Content-Type", ""), raw)
        except Malformed as error:
            raise Fault(f"{url}: malformed reply: {error}", Again.COUNTED) from None
        if reply.get("error") and not reply.get("choices"):
            message = f"{url}: an error with HTTP status 200: {reply['error']}"
            raise Fault(message, Again.COUNTED)
        return reply

    async def models(self, url: str) -> list[Mapping[str, Any]] | None:
        """The models that a server lists at `/models`; none when it keeps no list, None when it does not answer.

        Raises:
            MissingRequirement: When it wants another key.
        """
        try:
            async with self._opened().get(
                f"{url}/models", timeout=self._short_timeout, allow_redirects=False
            ) as response:
                raw = await response.read()
            if response.status in (401, 403):
                raise MissingRequirement(f"{url} answers HTTP {response.status}", self._key_advice())
            if response.status in NOT_THERE:
                return None
            if response.status != 200:
                return []
            listed = decode(response.headers.get("Content-Type", ""), raw).get("data")
        except (aiohttp.ClientError, OSError, Malformed):  # a timeout is an OSError
            return None
        return [m for m in listed if isinstance(m, dict) and "id" in m] if isinstance(listed, list) else []

    async def is_alive(self, url: str) -> bool:
        """Whether a server answers `/models`, with whatever: a list it cannot make says nothing about its model."""
        try:
            async with self._opened().get(
                f"{url}/models", timeout=self._short_timeout, allow_redirects=False
            ) as response:
                return response.status not in NOT_THERE
        except (aiohttp.ClientError, OSError):
            return False

    def redacted(self, text: str) -> str:
        """A server's words made fit to be shown: without the key, and cut short."""
        key = self._key()
        return (text.replace(key, "[key]") if key else text)[:500]

    def _opened(self) -> aiohttp.ClientSession:
        self.open()
        assert self._session is not None
        return self._session

    def _failure(self, url: str, status: int, retry_after: str | None, raw: bytes) -> Fault | ModelError:
        text = raw.decode("utf-8", "replace")
        message = f"{url}: HTTP {status}: {text}"
        wait = seconds_to_wait(retry_after, datetime.now(UTC))
        if status == 429 or (status == 503 and wait is not None):
            return Fault(message, Again.PATIENTLY, Outcome.REFUSED, retry_after=wait)
        if status in (408, 409) or status >= 500:
            return Fault(message, Again.COUNTED, retry_after=wait)
        if status in (400, 422) and any(name in text for name in THINKING_FIELDS):
            return Fault(message, Again.WITHOUT_THINKING, Outcome.DECLINED)
        if status == 400 and any(f'"{code}"' in text for code in REFUSAL_CODES):
            return ModelError(Status.REFUSED, message)
        if status in (400, 413, 422) and any(words in text.lower() for words in TOO_LONG):
            return ModelError(Status.TRUNCATED, message)
        if status in (401, 403):
            message = f"{url}: HTTP {status}; {self._key_advice()}"
        return Fault(message, Again.NEVER, Outcome.DECLINED)

    def _key(self) -> str:
        return os.environ.get(self._api_key_env or "", "").strip()

    def _key_advice(self) -> str:
        variable = self._api_key_env
        return f"check the key in {variable}" if variable else "set api_key_env to the variable that holds the API key"
