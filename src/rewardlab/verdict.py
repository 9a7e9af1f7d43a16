"""What a judge answers: a choice or scores, or a status that says why there is none.

There is no invented number anywhere in this project. A judgment that cannot be read, was refused, was cut off, or
never came has a `Status` and neither choice nor scores; how much credit such a row gets is for each benchmark's
official grading to say, never for the judge.

`Evidence` is one typed observation of a judge; the list of them, the ledger, is what a readout turns into the verdict.
`Usage` is what the judgment cost, counted also for calls that failed. `Judgment` is one stored row: which task, in
which display order, which repeat, and the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Whether there is a verdict, and if not, why not."""

    OK = "ok"
    UNPARSEABLE = "unparseable"  # the model answered, and the answer names nothing on the menu
    REFUSED = "refused"  # the model or the server declined to answer
    TRUNCATED = "truncated"  # cut at the token limit before its verdict, or no room for an answer after the prompt
    ENDPOINT_ERROR = "endpoint_error"  # the server could not be reached or answered with an error
    TIMEOUT = "timeout"  # no answer within the time allowed
    SKIPPED = "skipped"  # never asked, e.g. a needed resource was unavailable

    @property
    def final(self) -> bool:
        """Whether asking again could not help: such a row is never redone on resume."""
        return self not in (Status.ENDPOINT_ERROR, Status.TIMEOUT, Status.SKIPPED)


class Decision(StrEnum):
    """What a piece of evidence says about its criterion."""

    SATISFIED = "satisfied"
    VIOLATED = "violated"
    UNSURE = "unsure"


class Hardness(StrEnum):
    """Hard evidence was computed by a tool; soft evidence is the model's own reading."""

    HARD = "hard"
    SOFT = "soft"


class Source(StrEnum):
    """Which step of a judge produced the verdict. A FALLBACK is never the judge's own in the primary figure."""

    OWN = "own"
    REPAIR = "repair"  # asked once more after an unusable answer
    FALLBACK = "fallback"  # another judge answered in its place


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entry of the ledger.

    Attributes:
        criterion: What was checked.
        candidate: Id of the candidate it is about, or None when it is about all.
        observation: What was seen.
        decision: What that says about the criterion.
        hardness: Computed by a tool, or the model's own reading.
        weight: Relative importance, >= 0.
        source: The tool call or the quoted span that it rests on.
        supported: False when `source` names nothing that happened; such an entry is kept but no readout counts it.
    """

    criterion: str
    candidate: str | None
    observation: str
    decision: Decision
    hardness: Hardness
    weight: float = 1.0
    source: str = ""
    supported: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """What a judgment cost. Failed calls count too.

    Attributes:
        calls: Model calls, retries included.
        prompt_tokens: Tokens sent, cached ones included.
        cached_tokens: Those of them that a prefix cache answered.
        completion_tokens: Tokens received, reasoning included.
        reasoning_tokens: Those of them spent in a reasoning section.
        seconds: Wall time of the calls, added up.
        cost: In the currency of the price table; None where no price is known.
    """

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    cost: float | None = None

    def __add__(self, other: Usage) -> Usage:
        costs = [u.cost for u in (self, other) if u.cost is not None]
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.seconds + other.seconds,
            sum(costs) if costs else None,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a judge's trace: a prompt sent, an answer, a tool call with its result, a readout.

    `detail` is JSON-serialisable. Traces hold third-party text, so they stay in the run's SQLite file and out of git.
    """

    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's answer to one task.

    Attributes:
        status: OK exactly when there is an answer.
        choice: Id of the preferred candidate (PAIR, PICK); None for a tie.
        tie: The judge says that the candidates are equal, and the contract allows it.
        scores: Score by candidate id; from RATE, or beside a choice where the judge has scores.
        steps: For STEPS: probability in [0, 1] that each step is right.
        first_error: For STEPS: index of the first wrong step, -1 when all are right.
        ledger: The evidence behind the answer.
        own: For judges with a readout: the model's own final answer as a score in [0, 1] by candidate id, before the
            readout; empty when it gave none.
        readout: Name of the function that turned the ledger into the answer; "" for judges without one.
        source: Which step of the judge produced the answer.
        usage: What it cost.
        tools: How often each tool was called and worked; empty for judges without tools.
        trace: What happened, in order.
        note: In a few words, why the status is what it is.

    Raises:
        ValueError: When an answer and the status contradict each other.
    """

    status: Status
    choice: str | None = None
    tie: bool = False
    scores: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[float, ...] = ()
    first_error: int | None = None
    ledger: tuple[Evidence, ...] = ()
    own: Mapping[str, float] = field(default_factory=dict)
    readout: str = ""
    source: Source = Source.OWN
    usage: Usage = Usage()
    tools: Mapping[str, int] = field(default_factory=dict)
    trace: tuple[Event, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        answered = self.choice is not None or self.tie or bool(self.scores) or self.first_error is not None
        if answered != (self.status is Status.OK):
            raise ValueError(f"a verdict of status {self.status.value} {'has' if answered else 'lacks'} an answer")
        if self.tie and self.choice is not None:
            raise ValueError("a verdict is a tie or a choice, not both")


@dataclass(frozen=True, slots=True)
class Judgment:
    """One row of a run: a verdict on a task in one display order.

    Attributes:
        task_id: The task.
        order: Candidate ids as they were displayed.
        repeat: 0 for the first judgment of this task in this order, 1 for a second sample, and so on.
        verdict: The answer.
    """

    task_id: str
    order: tuple[str, ...]
    repeat: int
    verdict: Verdict

    @property
    def key(self) -> str:
        """Names the row within its run."""
        return presentation_key(self.task_id, self.order, self.repeat)


def presentation_key(task_id: str, order: tuple[str, ...], repeat: int) -> str:
    """The row key of one presentation of a task."""
    return f"{task_id}|{','.join(order)}|{repeat}"
