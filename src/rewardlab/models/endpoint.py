"""A model behind one or more OpenAI-compatible servers.

Each call takes a slot from the pool (`rewardlab.models.pool`), which keeps as many calls in flight as the servers bear.
A failed request goes to another server at once where there is one, and otherwise waits (`rewardlab.models.retry`).
Faults of a server (connection errors, timeouts, 408, 409, 5xx, replies that break the format) use up a retry; "busy"
(429, or 503 with Retry-After) does not. Any other 4xx ends the call after one request. A call ends at the latest after
`timeout * (1 + retries)` plus the longest pauses, counted from its first request.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from yarl import URL

from rewardlab.errors import MissingRequirement, ModelError, UnknownName, UserError
from rewardlab.models.pool import Outage, Outcome, Pool, Server
from rewardlab.models.prices import price_table
from rewardlab.models.protocol import Completion, Sampling, Scores, Tool, ToolChoice
from rewardlab.models.retry import Again, Backoff, Fault
from rewardlab.models.tool_text import as_text, read_calls
from rewardlab.models.transport import Transport
from rewardlab.models.wire import (
    TOP_LOGPROBS,
    Malformed,
    read_completion,
    read_scores,
    read_usage,
    request_body,
)
from rewardlab.task import Message
from rewardlab.verdict import Status, Usage

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tally:
    """What one call has cost so far, and how it last failed."""

    usage: Usage = field(default_factory=Usage)
    fault: Fault | None = None


class Endpoint:
    """A `Generator` that asks servers over HTTP.

    Args:
        name: The model's name at the servers.
        base_urls: Where the API begins, e.g. "http://localhost:8000/v1"; all must serve the same model.
        rng: Jitter of the pauses.
        api_key_env: Environment variable that holds the API key; None when the servers want none.
        concurrency: Most calls in flight over all servers; fewer when the servers are slow or say 429.
        timeout: Seconds that one request may take.
        connect_timeout: Seconds that opening a connection may take.
        retries: Requests after the first that may fail through a fault of a server.
        backoff_seconds: Longest first pause; later ones double, up to 30 s, with jitter.
        tool_format: "native" sends tools in the API's fields; "text" writes them into the prompt and reads calls from
            the answer.
        thinking: Sent as `chat_template_kwargs.enable_thinking`; None sends nothing. Dropped at a server that refuses
            the field; `counts` says how many calls went without.
        can_score: The servers return log-probabilities.
        prices: Price table by model name (`rewardlab.models.prices`); a file or the mapping itself.
        outage_seconds: How long calls wait when every server is down, before they fail.
        probe_seconds: Time between two questions whether a dead server is back.
        trust_env: Heed HTTP_PROXY and the like, and .netrc.

    Raises:
        UserError: When there is no URL, or one that is no plain http(s) URL.
        BadData: When the price table is wrong.
    """

    def __init__(
        self,
        name: str,
        base_urls: Sequence[str],
        rng: np.random.Generator,
        *,
        api_key_env: str | None = None,
        concurrency: int = 64,
        timeout: float = 300.0,
        connect_timeout: float = 10.0,
        retries: int = 4,
        backoff_seconds: float = 1.0,
        tool_format: Literal["native", "text"] = "native",
        thinking: bool | None = None,
        can_score: bool = False,
        prices: str | Path | Mapping[str, Mapping[str, Any]] | None = None,
        outage_seconds: float = 60.0,
        probe_seconds: float = 2.0,
        trust_env: bool = False,
    ) -> None:
        if tool_format not in ("native", "text"):
            raise UnknownName("tool format", tool_format, ("native", "text"))
        self._name = name
        self._pool = Pool(_checked(base_urls), concurrency, self._is_alive, probe_seconds, outage_seconds)
        self._backoff = Backoff(rng, backoff_seconds)
        # Probes need connections of their own, or a pool full of dead calls would keep a server dead.
        connections = concurrency + len(self._pool.servers)
        self._transport = Transport(connections, timeout, connect_timeout, api_key_env, trust_env)
        self._retries = retries
        self._longest_call = timeout * (1 + retries) + sum(self._backoff.longest(n) for n in range(retries))
        self._tool_format = tool_format
        self._thinking = thinking
        self._can_score = can_score
        self._price = price_table(prices).get(name) if prices is not None else None

    def __repr__(self) -> str:
        urls = [server.url for server in self._pool.servers]
        return f"Endpoint({self._name!r}, {urls}, tool_format={self._tool_format!r}, thinking={self._thinking})"

    @property
    def can_score(self) -> bool:
        """Whether the configuration says that the servers return log-probabilities."""
        return self._can_score

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """What happened at each base URL: see `rewardlab.models.pool.Counts`."""
        return {server.url: asdict(server.counts) for server in self._pool.servers}

    async def identity(self) -> Mapping[str, str]:
        """The model as the servers report it, and the settings that change what it is asked.

        The report is the model's entry at `/models`; a server that does not list it is sent a chat of one token.
        The URLs are not part of it: the same model on another port is the same model. Servers tell weights apart by
        `root` (vLLM: path or repository) or `meta` (llama.cpp: size and vocabulary), which are included.

        Raises:
            MissingRequirement: When no server answers, or one wants another key.
            UnknownName: When a server does not know the model and lists others.
            UserError: When two servers report different models, or one does not take chats.
        """
        reports = await asyncio.gather(*(self._reported(server) for server in self._pool.servers))
        answers = {s.url: report for s, report in zip(self._pool.servers, reports, strict=True) if report is not None}
        if not answers:
            urls = ", ".join(server.url for server in self._pool.servers)
            raise MissingRequirement(
                f"no server of the model {self._name} answers at {urls}", "start it, or mend the URL"
            )
        first, *others = answers.values()
        if any(other != first for other in others):
            listed = "\n".join(f"  {url}: {report}" for url, report in answers.items())
            raise UserError(f"the servers report different models; one run may use one model only\n{listed}")
        return {"model": self._name, **first, "tool_format": self._tool_format, "thinking": str(self._thinking)}

    async def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> Completion:
        """One turn, with retries and failover.

        Raises:
            ModelError: REFUSED when the model or a filter declined, TRUNCATED when the prompt leaves no room in the
                model's context, TIMEOUT when the last request was not answered in time, ENDPOINT_ERROR otherwise.
        """
        if self._tool_format == "native":
            body = request_body(self._name, messages, sampling, tools, tool_choice)
        else:
            body = request_body(self._name, as_text(messages, tools, tool_choice), sampling)
        completion, usage = await self._call(body, read_completion)
        if self._tool_format == "text" and tools and tool_choice != "none":
            text, calls = read_calls(completion.text, tools)
            finish = "tool_calls" if calls else completion.finish_reason
            completion = replace(completion, text=text, tool_calls=calls, finish_reason=finish)
        return replace(completion, usage=usage)

    async def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> Scores:
        """Log-probabilities of single-token continuations, from the likeliest first tokens that the server lists.

        Raises:
            ModelError: As in `chat`; SKIPPED when `can_score` is off; UNPARSEABLE when a continuation is not a token
                on the server's list.
        """
        if not self._can_score:
            raise ModelError(Status.SKIPPED, f"{self._name} is not configured to score", Usage())
        # At temperature 1 every server reports the model's own distribution; what it draws from it is not used.
        body = request_body(self._name, messages, Sampling(temperature=1.0, max_tokens=1))
        body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        logprobs, usage = await self._call(body, lambda reply: read_scores(reply, continuations))
        return Scores(logprobs, usage)

    async def aclose(self) -> None:
        """Closes the connections and stops the probes. A later call opens new ones."""
        await self._pool.aclose()
        await self._transport.aclose()

    async def _call(self, body: dict[str, Any], read: Callable[[Mapping[str, Any]], T]) -> tuple[T, Usage]:
        tally = _Tally()
        self._open()
        try:
            server = await self._pool.acquire()
            async with asyncio.timeout(self._longest_call):
                answer = await self._persist(server, body, read, tally)
        except ModelError as error:
            raise self._failed(error.status, str(error), tally) from None
        except (Fault, Outage, TimeoutError) as error:
            # A deadline or an outage only ends the waiting; what the call failed of is its last fault.
            cause = error if isinstance(error, Fault) else tally.fault
            status = cause.status if cause is not None else Status.ENDPOINT_ERROR
            if cause is None and isinstance(error, TimeoutError):
                status = Status.TIMEOUT
            said = dict.fromkeys(str(e) for e in (error, cause) if e is not None and str(e))
            message = "; ".join(said) or f"no answer within {self._longest_call:g} s"
            raise self._failed(status, message, tally) from None
        return answer, self._charged(tally.usage)

    async def _persist(
        self, server: Server, body: dict[str, Any], read: Callable[[Mapping[str, Any]], T], tally: _Tally
    ) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._longest_call
        tried: set[Server] = set()
        faults = pauses = 0
        while True:
            try:
                return await self._ask(server, body, read, tally)
            except Fault as fault:
                tally.fault = fault
                faults += fault.again is Again.COUNTED
                if fault.again is Again.NEVER or faults > self._retries:
                    raise
                if fault.again is not Again.WITHOUT_THINKING:
                    tried.add(server)
                    if not self._pool.has_untried(tried):
                        pause = self._backoff.pause(pauses, fault.retry_after)
                        if loop.time() + pause > deadline:
                            raise
                        await asyncio.sleep(pause)
                        pauses += 1
                        tried.clear()
            server = await self._pool.acquire(tried)

    async def _ask(
        self, server: Server, body: dict[str, Any], read: Callable[[Mapping[str, Any]], T], tally: _Tally
    ) -> T:
        started = time.monotonic()
        outcome, tokens = Outcome.CANCELLED, Usage()
        try:
            reply = await self._send(server, body)
            outcome = Outcome.FAILED
            tokens = read_usage(reply)
            answer = read(reply)
            outcome = Outcome.ANSWERED
            return answer
        except Malformed as error:
            raise Fault(f"{server.url}: malformed reply: {error}", Again.COUNTED) from None
        except Fault as fault:
            outcome = fault.outcome
            raise
        except ModelError:
            # A request that was turned away at the door says nothing about how fast answers come.
            outcome = Outcome.DECLINED if outcome is Outcome.CANCELLED else Outcome.ANSWERED
            raise
        finally:
            seconds = time.monotonic() - started
            tally.usage += replace(tokens, calls=1, seconds=seconds)
            self._pool.release(server, outcome, seconds)

    async def _send(self, server: Server, body: Mapping[str, Any]) -> dict[str, Any]:
        thinking = self._thinking is not None and not server.thinking_refused
        if thinking:
            body = {**body, "chat_template_kwargs": {"enable_thinking": self._thinking}}
        elif self._thinking is not None:
            server.counts.without_thinking += 1
        try:
            return await self._transport.post(server.url, body)
        except Fault as fault:
            if fault.again is Again.WITHOUT_THINKING:
                if not thinking:
                    fault.again = Again.NEVER
                elif not server.thinking_refused:
                    log.warning("%s refuses the thinking field; calls go without it", server.url)
                    server.thinking_refused = True
            raise

    async def _reported(self, server: Server) -> dict[str, str] | None:
        """What a server says about the model, or None when it does not answer."""
        listed = await self._transport.models(server.url)
        if listed is None:
            return None
        models = {str(entry["id"]): entry for entry in listed}
        entry = models.get(self._name)
        if entry is None and len(models) == 1:
            # llama.cpp answers to any name and lists the one file it has loaded, which its `meta` describes.
            entry = next((only for only in models.values() if only.get("meta")), None)
        if entry is None:
            return await self._reported_in_chat(server, models)
        details = {key: entry[key] for key in ("root", "meta") if entry.get(key)}
        return {"served": str(entry["id"])} | {
            key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            for key, value in details.items()
        }

    async def _reported_in_chat(self, server: Server, listed: Iterable[str]) -> dict[str, str] | None:
        """The name in the reply to the shortest possible chat: some servers serve models that they do not list."""
        body = request_body(self._name, [Message("user", "Hello")], Sampling(max_tokens=1))
        for number in range(1 + self._retries):
            try:
                reply = await self._transport.post(server.url, body)
                return {"served": str(reply.get("model") or self._name)}
            except Fault as fault:
                if fault.again is Again.NEVER:
                    if known := sorted(listed):
                        raise UnknownName(f"model at {server.url}", self._name, known) from None
                    raise UserError(f"{self._name} cannot be asked: {self._transport.redacted(str(fault))}") from None
                await asyncio.sleep(self._backoff.pause(number, fault.retry_after))
        return None

    def _open(self) -> None:
        if self._transport.open():
            self._pool.resume_probing()

    async def _is_alive(self, server: Server) -> bool:
        return await self._transport.is_alive(server.url)

    def _failed(self, status: Status, message: str, tally: _Tally) -> ModelError:
        return ModelError(status, self._transport.redacted(message), self._charged(tally.usage))

    def _charged(self, usage: Usage) -> Usage:
        return self._price.charge(usage) if self._price is not None else usage


def _checked(base_urls: Sequence[str]) -> list[str]:
    urls = [base_urls] if isinstance(base_urls, str) else list(base_urls)
    if not urls:
        raise UserError("a model endpoint needs at least one base URL, e.g. model.base_urls=[http://localhost:8000/v1]")
    for number, text in enumerate(urls, 1):
        url = URL(text)
        if url.scheme not in ("http", "https") or not url.host or url.user or url.password or url.query:
            # The URL itself is not shown: what makes it wrong may be a password.
            raise UserError(
                f"base URL {number} is no plain http(s) URL; keys go into the variable named by api_key_env"
            )
    return [text.rstrip("/") for text in urls]
