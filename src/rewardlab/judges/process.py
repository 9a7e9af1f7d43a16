"""The process reward model as a judge: a probability of being right for every step, and what follows from these.

The first wrong step is the first whose probability falls below a threshold. A whole solution is rated by a readout of
its step probabilities: their product as Qwen2.5-Math-PRM does (arXiv 2501.07301, section 3), least, last or mean. A
solution that comes as one text is cut into steps where a line is empty, as that model's data are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from rewardlab.errors import ModelError, UnknownName, UserError
from rewardlab.judges.step_readouts import READOUTS
from rewardlab.models.reward_checkpoint import load_reward_model
from rewardlab.models.reward_scorer import RewardScorer
from rewardlab.task import Form, Setting, Task
from rewardlab.verdict import Status, Verdict


class Process:
    """Judges by a process reward model.

    Args:
        reward_model: A folder of ours that holds one.
        readout: One of READOUTS, for whole solutions.
        threshold: A step below this probability is wrong.
        name: Name in tables.
        dtype: "auto", or the name of a torch dtype.
        device: "auto", or a torch device.
        batch_tokens: Most tokens of a batch, padding included.

    Raises:
        MissingRequirement: When the model cannot be loaded.
        UserError: When it is no process reward model, or there is no such readout.
    """

    forms = frozenset({Form.STEPS, Form.RATE})
    setting = Setting.STANDARD

    def __init__(
        self,
        reward_model: str,
        readout: str = "product",
        threshold: float = 0.5,
        name: str = "process",
        dtype: str = "auto",
        device: str = "auto",
        batch_tokens: int = 4096,
    ) -> None:
        if readout not in READOUTS:
            raise UnknownName("readout of step probabilities", readout, READOUTS)
        self.name = name
        self._readout = readout
        self._threshold = threshold
        self._scorer = RewardScorer(load_reward_model(reward_model, dtype, device), batch_tokens)
        if self._scorer.card.head != "process":
            raise UserError(f"{reward_model} is a {self._scorer.card.head} reward model; set judge=scalar")

    def identity(self) -> Mapping[str, str]:
        """The model and its weights."""
        return self._scorer.identity

    async def judge(self, task: Task) -> Verdict:
        """Judge one task."""
        (candidate,) = task.candidates
        steps = candidate.steps or paragraphs(candidate.text)
        if not steps:
            return Verdict(Status.UNPARSEABLE, note="a solution without any step")
        try:
            (read,) = await self._scorer.read([self._scorer.prompt.stepwise(task.question, steps)])
        except ModelError as error:
            return Verdict(error.status, usage=error.usage, note=str(error))
        right = tuple(right_probability(wrong, right) for wrong, right in read.outputs)
        if task.form is Form.RATE:
            score = {candidate.id: READOUTS[self._readout](right)}
            return Verdict(Status.OK, scores=score, steps=right, readout=self._readout, usage=read.usage)
        return Verdict(Status.OK, steps=right, first_error=first_below(right, self._threshold), usage=read.usage)


def paragraphs(text: str) -> tuple[str, ...]:
    r"""The steps of a solution that is one text: what stands between empty lines.

    >>> paragraphs("Add:\n1 + 2 = 3\n\nSo 3.\n")
    ('Add:\n1 + 2 = 3', 'So 3.')
    """
    return tuple(part.strip() for part in re.split(r"\n\s*\n", text) if part.strip())


def right_probability(wrong: float, right: float) -> float:
    """Softmax of two logits, its second share.

    >>> right_probability(1.0, 1.0)
    0.5
    """
    return 1.0 / (1.0 + math.exp(min(wrong - right, 700.0)))


def first_below(probabilities: Sequence[float], threshold: float) -> int:
    """Index of the first step below the threshold, -1 when there is none.

    >>> first_below([0.9, 0.2, 0.1], 0.5)
    1
    """
    return next((i for i, p in enumerate(probabilities) if p < threshold), -1)
