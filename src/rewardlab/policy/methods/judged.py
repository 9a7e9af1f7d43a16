"""The reward of a judge that rates one answer: a static judge, a rubric, a scalar or a process reward model.

A rating on a scale becomes a share of that scale; a reward model's number stays as it is, since advantages do not ask
where zero is. A judge without a verdict gives no reward, and its rollout is masked.
"""

from __future__ import annotations

from collections.abc import Mapping

from rewardlab.errors import UserError
from rewardlab.judges.protocol import Judge
from rewardlab.policy.reward import Prompt, Reward, RewardMethod, Rollout
from rewardlab.task import Candidate, Contract, Form, Setting, Task
from rewardlab.verdict import Status

CANDIDATE = "rollout"


class Judged(RewardMethod):
    """Reward from a judge.

    Args:
        judge: One that rates; it sees the prompt's resources where its setting allows.
        name: Name in tables.
        scale: Lowest and highest rating that the judge is asked for; None to keep its numbers as they are.

    Raises:
        UserError: When the judge does not rate.
    """

    def __init__(self, judge: Judge, name: str = "", scale: tuple[int, int] | None = (1, 10)) -> None:
        if Form.RATE not in judge.forms:
            raise UserError(f"the judge {judge.name} rates no single answers, so it can be no reward")
        self.name = name or judge.name
        self._judge = judge
        self._scale = None if scale is None else (int(scale[0]), int(scale[1]))

    def identity(self) -> Mapping[str, str]:
        """Of the judge."""
        return self._judge.identity()

    async def score(self, prompt: Prompt, rollout: Rollout) -> Reward:
        """The judge's rating."""
        contract = Contract() if self._scale is None else Contract(scale=self._scale)
        verdict = await self._judge.judge(rating_task(prompt, rollout, self._judge.setting, contract))
        if verdict.status is not Status.OK:
            return Reward(None, verdict.status, ledger=verdict.ledger, usage=verdict.usage, note=verdict.note)
        value = verdict.scores[CANDIDATE]
        if self._scale is not None:
            low, high = self._scale
            value = (value - low) / (high - low)
        return Reward(value, ledger=verdict.ledger, usage=verdict.usage)


def rating_task(prompt: Prompt, rollout: Rollout, setting: Setting, contract: Contract = Contract()) -> Task:
    """A rollout as a judge gets it, with the prompt's resources where the setting allows them."""
    resources = prompt.resources if setting is Setting.RESOURCE else ()
    return Task(prompt.id, Form.RATE, prompt.messages, (Candidate(CANDIDATE, rollout.text),), resources, contract)
