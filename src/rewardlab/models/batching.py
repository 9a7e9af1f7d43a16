"""Continuous batching: many prompts and turns share forward passes, and each joins and leaves between two of them.

A pass takes the next tokens of all running turns and then as many prompt tokens as its budget allows, a long prompt in
several pieces. A prompt whose beginning is just being computed for another one waits until it can take it over.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field

import numpy as np
import torch
from transformers import PreTrainedModel

from rewardlab.errors import ModelError
from rewardlab.models.decoding import Turn
from rewardlab.models.packed import Ids, KeyValues, Segment, forward, logit_rows
from rewardlab.models.prefix_cache import WORTHWHILE, PrefixCache, shared_length
from rewardlab.verdict import Status, Usage

TOKENS_PER_PASS = 512  # more rows make the matrix products no faster and let running turns wait longer


@dataclass(slots=True, eq=False)
class Job:
    """One prompt, and what is to be done with it: decode a turn, or score continuations.

    Attributes:
        prompt: Token ids.
        turn: The turn to decode, not over yet, or None to score.
        continuations: Token ids of each continuation to score, none of them empty.
        done: Resolves when `turn` is finished or `logprobs` is filled; fails with `ModelError`.
        logprobs: Sum over the tokens of each continuation.
        usage: What the job has cost so far; tokens that a failed pass computed count too.
    """

    prompt: Ids
    turn: Turn | None = None
    continuations: Sequence[Sequence[int]] = ()
    done: Future[None] = field(default_factory=Future)
    logprobs: tuple[float, ...] = ()
    state: KeyValues | None = None
    waiting: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    cached: int = 0
    started: float = field(default_factory=time.perf_counter)

    @property
    def usage(self) -> Usage:
        """Cost of the job until now."""
        made = len(self.turn.tokens) if self.turn else 0
        seconds = time.perf_counter() - self.started
        return Usage(1, len(self.prompt), self.cached, made, seconds=seconds)

    def finish(self, error: BaseException | None = None) -> None:
        """Resolve `done`, unless the caller has gone away meanwhile."""
        with contextlib.suppress(InvalidStateError):
            self.done.set_exception(error) if error else self.done.set_result(None)


class Batcher:
    """Runs jobs on one model. It belongs to one thread.

    Args:
        model: From `packed.adopt`.
        cache: Where finished sequences go.
        batch_size: Jobs that run at a time.
    """

    def __init__(self, model: PreTrainedModel, cache: PrefixCache, batch_size: int) -> None:
        self._model = model
        self._cache = cache
        self._batch_size = batch_size
        self._queue: list[Job] = []
        self._running: list[Job] = []

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._queue and not self._running

    def add(self, job: Job) -> None:
        """Queue a job."""
        self._queue.append(job)

    def fail(self, error: BaseException) -> None:
        """End all jobs with an error."""
        for job in (*self._queue, *self._running):
            job.finish(error)
        self._queue, self._running = [], []

    def step(self) -> None:
        """Run one forward pass. When it fails, the jobs in it fail and the queue lives on."""
        self._queue = [job for job in self._queue if not job.done.cancelled()]
        self._running = [job for job in self._running if not job.done.cancelled()]
        self._admit()
        batch = self._segments()
        if not batch:
            return
        try:
            logits = forward(self._model, [segment for _, segment in batch])
        except RuntimeError as error:  # torch reports exhausted memory and broken devices so
            self._abort(error)
            return
        start = 0
        for job, segment in batch:
            rows = logits[start : start + len(segment.wanted)]
            start += len(rows)
            assert job.state is not None
            job.state.ids = np.append(job.state.ids, segment.trunk)
            if segment.last:
                self._advance(job, rows)

    def _abort(self, error: RuntimeError) -> None:
        for job in self._running:
            message = f"the local model failed: {type(error).__name__}: {error}"
            job.finish(ModelError(Status.ENDPOINT_ERROR, message, job.usage))
        self._running = []

    def _admit(self) -> None:
        """Start queued jobs while the pass has room for their prompts, those with a known beginning first served."""
        passed_over: list[Job] = []
        budget = TOKENS_PER_PASS - sum(len(job.waiting) for job in self._running)
        while self._queue and budget > 0 and len(self._running) < self._batch_size:
            if len(passed_over) > 2 * self._batch_size:
                break
            job = self._queue.pop(0)
            source, shared = self._cache.longest(job.prompt, [j.state for j in self._running if j.state])
            if self._coming(job.prompt) >= shared + WORTHWHILE:
                passed_over.append(job)
                continue
            self._start(job, source, shared)
            budget -= len(job.waiting)
        self._queue = passed_over + self._queue

    def _coming(self, prompt: Ids) -> int:
        """The longest prefix of a prompt that running jobs are about to have computed."""
        if not self._cache.enabled:
            return 0
        unread = (job for job in self._running if len(job.waiting) > 1)
        return max((shared_length(job.prompt, prompt) for job in unread), default=0)

    def _start(self, job: Job, source: KeyValues | None, shared: int) -> None:
        forced = job.turn.tokens if job.turn else []
        extra = job.turn.expected_length if job.turn else sum(map(len, job.continuations))
        capacity = len(job.prompt) + extra
        job.state = source.fork(shared, capacity) if source else KeyValues(capacity)
        job.cached = shared
        job.waiting = np.append(job.prompt[shared:], forced).astype(np.int64)
        self._running.append(job)

    def _segments(self) -> list[tuple[Job, Segment]]:
        budget = TOKENS_PER_PASS
        batch = []
        for job in sorted(self._running, key=lambda job: len(job.waiting)):
            if budget <= 0:
                break
            assert job.state is not None
            trunk, job.waiting = job.waiting[:budget].tolist(), job.waiting[budget:]
            last = not len(job.waiting)
            branches = [c[:-1] for c in job.continuations if len(c) > 1] if last else []
            segment = Segment(job.state, trunk, branches, last)
            job.state.reserve(len(job.state.ids) + len(segment))
            budget -= len(segment)
            batch.append((job, segment))
        return batch

    def _advance(self, job: Job, rows: torch.Tensor) -> None:
        error = None
        if job.turn is None:
            job.logprobs = _summed(rows, job.continuations)
        else:
            try:
                job.waiting = np.array(job.turn.take(rows[0]), np.int64)
            except ModelError as failure:
                error = ModelError(failure.status, str(failure), job.usage)
            if not error and not job.turn.finish_reason:
                return
        self._running.remove(job)
        assert job.state is not None
        self._cache.put(job.state)
        job.finish(error)


def _summed(rows: torch.Tensor, continuations: Sequence[Sequence[int]]) -> tuple[float, ...]:
    """Log-probability of each continuation.

    Args:
        rows: Logits (1 + all tokens but the last of each continuation, vocabulary), the trunk's row first.
        continuations: Token ids.
    """
    logprobs = torch.log_softmax(rows, -1)
    places = zip(logit_rows(continuations), continuations, strict=True)
    return tuple(float(logprobs[of, list(tokens)].sum()) for of, tokens in places)
