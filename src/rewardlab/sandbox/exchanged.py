"""A control for judges that run code: a sandbox whose results are about the wrong candidates.

Code finds each candidate's text under the label of the next one, and the last one's under the first label. It runs as
ever, and what it reports is true of texts that the judge was shown under other names. A judge whose verdict follows its
evidence is then misled in every pair that the code would settle; one that only goes through the motions is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewardlab.sandbox.protocol import Execution, Sandbox


class Exchanged:
    """Runs code in another sandbox, with the candidates exchanged.

    Args:
        sandbox: The one that runs it.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.name = f"{sandbox.name}, candidates exchanged"
        self._sandbox = sandbox

    def available(self) -> str:
        """As the other one."""
        return self._sandbox.available()

    async def run(self, code: str, inputs: Mapping[str, Any] | None = None, seconds: float = 3.0) -> Execution:
        """Run code; see `Sandbox.run`."""
        given = dict(inputs or {})
        if candidates := given.get("candidates"):
            texts = list(candidates.values())
            given["candidates"] = dict(zip(candidates, [*texts[-1:], *texts[:-1]], strict=True))
        return await self._sandbox.run(code, given, seconds)
