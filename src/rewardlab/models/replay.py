"""A model whose answers are recorded, or played back without asking it.

The key of an answer is the sha256 of everything that could change it: what the model says it is, and the whole
request with messages, tools, tool choice, sampling, seed and repeat. So another model behind the same name, another
temperature or another sample of the same prompt never gets this one's answer. Refusals are answers too; errors that
pass (`Status.final` is False) are not recorded and are asked again.

In `record`, what is in the store is answered from it and everything else is asked and stored; in `replay`, the model
is never asked, not even for its identity. Requests that are missing then fail one by one with status SKIPPED;
`missing` lists them and `check` stops the run with the list. The usage of a played-back answer is the recorded one:
what the judgment costs, not what the playback does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from rewardlab.errors import ModelError, UnknownName, UserError
from rewardlab.models.protocol import Completion, Generator, Sampling, Scores, Served, Tool, ToolChoice
from rewardlab.store.replay import ReplayStore
from rewardlab.task import Message
from rewardlab.verdict import Status, Usage

KEY_VERSION = 1  # to be raised when the meaning of a key changes; old answers are then not found
SHOWN = 5  # missing requests that `check` describes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that ended without an answer for good."""

    status: Status
    message: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Missing:
    """A request that was to be played back and is not in the store.

    Attributes:
        key: Its key.
        kind: "chat" or "score".
        beginning: The beginning of its last message.
    """

    key: str
    kind: str
    beginning: str


_ANSWER: TypeAdapter[Completion | Scores | Refusal] = TypeAdapter(Completion | Scores | Refusal)


class MissingAnswers(UserError):
    """Requests that were to be played back are not in the store.

    Args:
        path: The store.
        missing: The requests.
    """

    def __init__(self, path: Path, missing: Sequence[Missing]) -> None:
        lines = [f"  {m.kind} {m.key[:12]}: {m.beginning!r}" for m in missing[:SHOWN]]
        if len(missing) > SHOWN:
            lines.append(f"  and {len(missing) - SHOWN} more")
        super().__init__(
            f"{len(missing)} requests are not recorded in {path}\n"
            + "\n".join(lines)
            + "\n  to mend it: run once more "
            "with model.replay=record; prompts, model, seed and sampling must be those of the recorded run"
        )
        self.missing = tuple(missing)


class Replay:
    """A `Generator` around another one.

    Args:
        generator: The model.
        path: The SQLite file of the answers.
        mode: "record" or "replay"; "off" only passes everything through and opens no file.
        name: What the model's identity is filed under, for `replay`. Configurations of one model whose identities
            differ need names that differ.

    Raises:
        UnknownName: When there is no such mode.
        MissingRequirement: When the file to play back is not there.
    """

    def __init__(
        self, generator: Generator, path: str | Path, mode: Literal["record", "replay", "off"], name: str
    ) -> None:
        if mode not in ("record", "replay", "off"):
            raise UnknownName("replay mode", mode, ("record", "replay", "off"))
        self._generator = generator
        self._path = Path(path)
        self._mode = mode
        self._name = name
        self._store = None if mode == "off" else ReplayStore(self._path, read_only=mode == "replay")
        self._identity: Mapping[str, str] | None = None
        self._identifying = asyncio.Lock()  # or the first calls of a run would all ask at once
        self._missing: dict[str, Missing] = {}

    @property
    def can_score(self) -> bool:
        """Whether the model can score; in `replay`, whether it could when it was recorded."""
        if self._mode == "replay":
            return bool(self._recorded_model()["can_score"])
        return self._generator.can_score

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """What happened at each server of the model; empty for a model without servers."""
        return self._generator.counts if isinstance(self._generator, Served) else {}

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Requests that were to be played back and are not in the store, each once, in order."""
        return tuple(self._missing.values())

    def check(self) -> None:
        """Stops when anything was missing.

        Raises:
            MissingAnswers: With the list.
        """
        if self._missing:
            raise MissingAnswers(self._path, self.missing)

    async def identity(self) -> Mapping[str, str]:
        """What the model says it is; in `replay`, what it said when it was recorded.

        Raises:
            UserError: When `replay` finds nothing recorded under the name.
        """
        if self._identity is None:
            async with self._identifying:
                if self._identity is None:
                    self._identity = await self._identify()
        return self._identity

    async def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> Completion:
        """One turn, from the store where it has it.

        Raises:
            ModelError: As the model would, now or when it was recorded; SKIPPED when `replay` finds nothing.
        """
        request = {
            "messages": [asdict(message) for message in messages],
            "sampling": asdict(sampling),
            "tools": [asdict(tool) for tool in tools],
            "tool_choice": tool_choice,
        }
        answer = await self._answer(
            "chat", request, messages, lambda: self._generator.chat(messages, sampling, tools, tool_choice)
        )
        assert isinstance(answer, Completion)
        return answer

    async def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> Scores:
        """Log-probabilities, from the store where it has them.

        Raises:
            ModelError: As in `chat`.
        """
        request = {"messages": [asdict(message) for message in messages], "continuations": list(continuations)}
        answer = await self._answer("score", request, messages, lambda: self._generator.score(messages, continuations))
        assert isinstance(answer, Scores)
        return answer

    async def aclose(self) -> None:
        """Closes the model and the file."""
        await self._generator.aclose()
        if self._store is not None:
            self._store.close()

    async def _answer(
        self,
        kind: str,
        request: Mapping[str, Any],
        messages: Sequence[Message],
        ask: Callable[[], Awaitable[Completion | Scores]],
    ) -> Completion | Scores:
        if self._store is None:
            return await ask()
        key = answer_key(kind, request, await self.identity())
        stored = self._store.answer(key)
        if stored is None and self._mode == "replay":
            beginning = messages[-1].content[:80] if messages else ""
            self._missing[key] = Missing(key, kind, beginning)
            raise ModelError(Status.SKIPPED, f"the {kind} request {key[:12]} is not recorded", Usage())
        if stored is None:
            stored = self._store.record(key, json.dumps(asdict(await _final(ask))))
        answer = _ANSWER.validate_python(json.loads(stored))
        if isinstance(answer, Refusal):
            raise ModelError(answer.status, answer.message, answer.usage)
        return answer

    async def _identify(self) -> Mapping[str, str]:
        if self._mode == "replay":
            return dict(self._recorded_model()["identity"])
        identity = dict(await self._generator.identity())
        if self._store is not None:
            about = {"identity": identity, "can_score": self._generator.can_score}
            self._store.record_model(self._name, json.dumps(about, sort_keys=True))
        return identity

    def _recorded_model(self) -> dict[str, Any]:
        stored = self._store.model(self._name) if self._store is not None else None
        if stored is None:
            raise UserError(f"{self._path} holds nothing of the model {self._name}; run once with model.replay=record")
        about: dict[str, Any] = json.loads(stored)
        return about


def answer_key(kind: str, request: Mapping[str, Any], identity: Mapping[str, str]) -> str:
    """The key of an answer: sha256 of the canonical JSON of the request and of the model's identity.

    Args:
        kind: "chat" or "score".
        request: JSON-serialisable; numbers that are equal give equal keys, whether whole or not (0 and 0.0).
        identity: See `Generator.identity`.

    >>> answer_key("chat", {"seed": 0}, {}) == answer_key("chat", {"seed": 0.0}, {})
    True
    """
    whole = {"version": KEY_VERSION, "kind": kind, "request": _with_equal_numbers(request), "identity": dict(identity)}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _with_equal_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_equal_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_equal_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


async def _final(ask: Callable[[], Awaitable[Completion | Scores]]) -> Completion | Scores | Refusal:
    try:
        return await ask()
    except ModelError as error:
        if not error.status.final:
            raise
        return Refusal(error.status, str(error), error.usage)
