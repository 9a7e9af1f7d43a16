"""Verifiable rewards: rules alone, without any model.

Every verifier whose resource a prompt has looks at the rollout; the reward is the share of decided criteria that are
met. So a reference answer gives 0 or 1 and a checklist of constraints something between. Where no verifier can decide
anything there is no reward, and the rollout is masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardlab.judges.verify import Verifiers
from rewardlab.policy.methods.judged import rating_task
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout
from rewardlab.task import ResourceKind, Setting
from rewardlab.verdict import Decision, Evidence, Status

RESOURCE_OF: Mapping[str, ResourceKind] = {
    "reference": ResourceKind.REFERENCE,
    "constraints": ResourceKind.CHECKLIST,
    "functions": ResourceKind.CHECKLIST,
    "tests": ResourceKind.TESTS,
}


class Rules(RewardMethod):
    """Reward from verifiers.

    Args:
        verifiers: What runs them.
        names: Which of them, among RESOURCE_OF; a prompt needs the resource of at least one.
    """

    name = "rules"

    def __init__(self, verifiers: Verifiers, names: Sequence[str] = tuple(RESOURCE_OF)) -> None:
        self._verifiers = verifiers
        self._names = tuple(names)

    def lacks(self, prompt: Prompt) -> str:
        """The resources of which none is there, or why their verifier cannot run."""
        return "" if self._usable(prompt) else " or ".join(dict.fromkeys(map(self._reason, self._names)))

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        """Share of decided criteria that the rollout meets."""
        task = rating_task(prompt, rollout, Setting.RESOURCE)
        ledger: list[Evidence] = []
        for name in self._usable(prompt):
            ledger += await self._verifiers.run(name, task, name)
        decided = [entry for entry in ledger if entry.decision is not Decision.UNSURE]
        runs = sum(entry.source in ("tests", "functions") for entry in ledger)
        if not decided:
            note = "no verifier could decide anything"
            return Reward(None, Status.UNPARSEABLE, ledger=tuple(ledger), executions=runs, note=note)
        met = sum(entry.decision is Decision.SATISFIED for entry in decided)
        return Reward(met / len(decided), ledger=tuple(ledger), executions=runs)

    def _usable(self, prompt: Prompt) -> list[str]:
        unavailable = self._verifiers.unavailable()
        return [name for name in self._names if name not in unavailable and prompt.of_kind(RESOURCE_OF[name])]

    def _reason(self, name: str) -> str:
        reason = self._verifiers.unavailable().get(name)
        return f"{RESOURCE_OF[name].value}{f' that can be used ({reason})' if reason else ''}"
