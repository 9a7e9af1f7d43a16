"""Several servers of one model: which to ask next, which are down, and when a dead one is back.

A call takes a slot at the least loaded healthy server and gives it back with what came of it. Three failures in a row
take a server out of service; a background task then asks it for a sign of life, and the first call after that is a
trial: one at a time until it succeeds. When every server is down, calls wait, but not for ever: once the outage has
lasted `outage_seconds`, calls fail at once until a server is back, so that a dead cluster costs a run that time once.
A sign of life is not yet an answer: a server that gives signs and fails its trials is still down, and only one call at
a time waits for it.

A pool belongs to one event loop at a time. It sends nothing itself: the sign of life is a function it is given.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum

from rewardlab.models.limiter import Limiter

FAILURES_TO_DOWN = 3  # one may be a stale keep-alive connection, three in a row are not
log = logging.getLogger(__name__)


class Outcome(Enum):
    """What came of one request."""

    ANSWERED = "answered"
    DECLINED = "declined"  # the server is well and does not like the request (4xx)
    REFUSED = "refused"  # the server has no capacity now
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    CANCELLED = "cancelled"  # by us; says nothing about the server


class Outage(Exception):
    """Every server has been down for too long."""


@dataclass(slots=True)
class Counts:
    """What happened at one server.

    Attributes:
        calls: Requests sent.
        failures: Those without a usable answer: connection errors, timeouts, 5xx, malformed replies.
        refusals: Those refused for lack of capacity (429, and 503 with Retry-After).
        times_down: How often the server was taken out of service.
        without_thinking: Those sent without the thinking field that is configured, because the server refuses it.
    """

    calls: int = 0
    failures: int = 0
    refusals: int = 0
    times_down: int = 0
    without_thinking: int = 0


@dataclass(eq=False, slots=True)
class Server:
    """One base URL with its health."""

    url: str
    limiter: Limiter
    counts: Counts = field(default_factory=Counts)
    in_flight: int = 0
    failures: int = 0  # in a row
    down: bool = False
    unwell_since: float | None = None  # when it was taken out of service, until it answers again
    on_trial: bool = False
    failed_trials: int = 0
    recovery: asyncio.Task[None] | None = None
    thinking_refused: bool = False

    @property
    def has_room(self) -> bool:
        """Whether a call may be sent now."""
        return not self.down and self.in_flight < (1 if self.on_trial else self.limiter.limit)


class Pool:
    """Slots at several servers.

    Args:
        urls: Base URLs.
        concurrency: Most calls in flight, over all servers.
        is_alive: Asks a server that is down for a sign of life.
        probe_seconds: Time between two such questions.
        outage_seconds: How long calls wait while every server is down.
    """

    def __init__(
        self,
        urls: Sequence[str],
        concurrency: int,
        is_alive: Callable[[Server], Awaitable[bool]],
        probe_seconds: float,
        outage_seconds: float,
    ) -> None:
        share = -(-concurrency // len(urls))
        self.servers = tuple(Server(url, Limiter(start=share, ceiling=concurrency)) for url in urls)
        self._concurrency = concurrency
        self._is_alive = is_alive
        self._probe_seconds = probe_seconds
        self._outage_seconds = outage_seconds
        self._in_flight = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def acquire(self, tried: Collection[Server] = ()) -> Server:
        """Waits for a slot, first come first served.

        Args:
            tried: Servers that have failed this call; taken only when no other has room.

        Raises:
            Outage: When every server has been down for `outage_seconds`.
        """
        woken = False
        while True:
            server = self._choose(tried) if woken or not self._waiters else None
            if server is not None:
                server.in_flight += 1
                self._in_flight += 1
                return server
            if self._given_up():
                raise Outage(f"all {len(self.servers)} servers have been down for {self._outage_seconds:g} s")
            await self._wait(first=woken)
            woken = True

    def release(self, server: Server, outcome: Outcome, seconds: float) -> None:
        """Gives a slot back.

        Args:
            server: Where the slot was.
            outcome: What came of the call; moves the server's limit and its health.
            seconds: How long the call took.
        """
        counts = server.counts
        counts.calls += 1
        counts.refusals += outcome is Outcome.REFUSED
        counts.failures += outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
        if outcome is Outcome.ANSWERED:
            server.limiter.answered(seconds, server.in_flight)
        elif outcome in (Outcome.REFUSED, Outcome.TIMED_OUT):
            server.limiter.refused()
        server.in_flight -= 1
        self._in_flight -= 1
        if outcome in (Outcome.ANSWERED, Outcome.DECLINED, Outcome.REFUSED):
            server.failures, server.on_trial, server.failed_trials = 0, False, 0
            # A call that began before the server went down may end after that: it stays down, from now on.
            server.unwell_since = time.monotonic() if server.down else None
        elif outcome is not Outcome.CANCELLED:
            server.failures += 1
            if not server.down and (server.on_trial or server.failures >= FAILURES_TO_DOWN):
                self._take_down(server)
        self._wake()

    def has_untried(self, tried: Collection[Server]) -> bool:
        """Whether a healthy server is left that has not failed this call."""
        return any(not server.down and server not in tried for server in self.servers)

    def resume_probing(self) -> None:
        """Starts the probes of servers that are down; to be called when the pool enters an event loop."""
        for server in self.servers:
            if server.down and (server.recovery is None or server.recovery.done()):
                server.recovery = asyncio.get_running_loop().create_task(self._recover(server))

    async def aclose(self) -> None:
        """Stops probing."""
        tasks = [server.recovery for server in self.servers if server.recovery is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _choose(self, tried: Collection[Server]) -> Server | None:
        if self._in_flight >= self._concurrency:
            return None
        open_servers = [server for server in self.servers if server.has_room]
        return min(open_servers, key=lambda s: (s in tried, s.in_flight), default=None)

    def _given_up(self) -> bool:
        hopeless = [server.unwell_since for server in self.servers if server.down or server.failed_trials]
        since = [moment for moment in hopeless if moment is not None]
        return len(since) == len(self.servers) and time.monotonic() - max(since) >= self._outage_seconds

    async def _wait(self, first: bool) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if first:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            else:
                self._wake()  # the slot that this waiter was woken for is the next one's
            raise

    def _wake(self) -> None:
        room = sum(max(0, s.limiter.limit - s.in_flight) for s in self.servers if s.has_room)
        self._rouse(min(room, self._concurrency - self._in_flight))

    def _take_down(self, server: Server) -> None:
        server.down = True
        server.counts.times_down += 1
        server.failed_trials += server.on_trial
        if server.unwell_since is None:
            server.unwell_since = time.monotonic()
            log.warning("%s is out of service after %d failures in a row", server.url, server.failures)
        if self._given_up():
            self._rouse(len(self._waiters))
        self.resume_probing()

    async def _recover(self, server: Server) -> None:
        while True:
            await asyncio.sleep(self._probe_seconds)
            if await self._is_alive(server):
                break
            if self._given_up():
                self._rouse(len(self._waiters))
        server.down, server.failures, server.on_trial = False, 0, True
        if not server.failed_trials:
            log.warning("%s answers again and is on trial", server.url)
        self._wake()

    def _rouse(self, most: int) -> None:
        while self._waiters and most > 0:
            waiter = self._waiters.popleft()
            if not waiter.done():  # a cancelled one stays in the queue until its task runs
                waiter.set_result(None)
                most -= 1
