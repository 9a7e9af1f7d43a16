"""A model in this process that is loaded when it is first asked something, and not before.

So a run that turns out to be finished never loads the model behind it. Whether a finished run's model is still the one
that would be loaded is told by `fingerprint`, from the names, sizes and times of its files, without reading them.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rewardlab.models.protocol import Completion, Generator, Sampling, Scores, Tool, ToolChoice
from rewardlab.task import Message


class Deferred:
    """A `Generator` around one that is not built yet; models in this process can all score.

    Args:
        build: Loads the model.
        files: Folders and files that decide its weights; none where these are fixed by the code that loads them.
    """

    can_score = True

    def __init__(self, build: Callable[[], Generator], files: Sequence[Path] = ()) -> None:
        self._build = build
        self._files = tuple(files)
        self._generator: Generator | None = None
        self._loading = asyncio.Lock()  # or two first questions would load it twice

    def fingerprint(self) -> str | None:
        """Sixteen digits that change when a file is written, comes or goes; None when a place is not there."""
        digest = hashlib.sha256()
        for place in self._files:
            if not place.exists():
                return None
            for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
                about = file.stat()
                digest.update(f"{file}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
        return digest.hexdigest()[:16]

    async def identity(self) -> Mapping[str, str]:
        """The model's identity; loads it."""
        return await (await self._loaded()).identity()

    async def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> Completion:
        """One turn of the model. Raises as it does."""
        return await (await self._loaded()).chat(messages, sampling, tools, tool_choice)

    async def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> Scores:
        """Log-probabilities by the model. Raises as it does."""
        return await (await self._loaded()).score(messages, continuations)

    async def aclose(self) -> None:
        """Closes the model, if it was ever loaded."""
        if self._generator is not None:
            await self._generator.aclose()

    async def _loaded(self) -> Generator:
        if self._generator is None:
            async with self._loading:
                if self._generator is None:
                    self._generator = await asyncio.to_thread(self._build)
        return self._generator
