"""What a judge needs from a language model: a chat turn, and log-probabilities of given continuations.

A `Generator` either answers or raises `ModelError` with the status that the judgment then gets; it never makes an
answer up. Its `usage` counts every attempt of the call, the failed ones too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from rewardlab.task import Message, ToolCall
from rewardlab.verdict import Usage

ToolChoice = Literal["auto", "required", "none"] | str  # any other string names the one tool that must be called


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool offered to a model: name, what it does, and a JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to decode. `repeat` tells apart samples of one request that are meant to differ (self-consistency)."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int = 0
    stop: tuple[str, ...] = ()
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's turn.

    Attributes:
        text: The answer, without the reasoning section where the server separates it.
        tool_calls: In the order the model made them.
        finish_reason: "stop", "length", "tool_calls" or "content_filter".
        reasoning: The separated reasoning section, if any.
        model: The model's name as the server reports it.
        usage: What the turn cost, retries included.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    reasoning: str = ""
    model: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-probabilities of continuations. `logprobs[i]` is the sum over the tokens of continuation i."""

    logprobs: tuple[float, ...]
    usage: Usage = Usage()


@runtime_checkable
class Served(Protocol):
    """A model behind servers, each of which has counts of what happened there."""

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Base URL to what happened at it, since the start."""
        ...


@runtime_checkable
class Generator(Protocol):
    """A language model."""

    @property
    def can_score(self) -> bool:
        """Whether `score` works: a local model can, most servers cannot."""
        ...

    async def identity(self) -> Mapping[str, str]:
        """What the model is, for the run identity: name, revision or weights hash, as reported by the server."""
        ...

    async def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> Completion:
        """One turn of a conversation.

        Raises:
            ModelError: When there is no usable answer.
        """
        ...

    async def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> Scores:
        """Log-probability of each continuation as the beginning of the assistant's turn.

        Raises:
            ModelError: When the model cannot be asked.
        """
        ...

    async def aclose(self) -> None:
        """Free connections and worker threads. Safe to call twice."""
        ...
