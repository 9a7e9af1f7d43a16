from __future__ import annotations

import asyncio

import pytest

from rewardlab.errors import UserError
from rewardlab.judges.direct import Direct
from rewardlab.judges.rubric import Rubric
from rewardlab.models.scripted import Fail, ScriptedGenerator
from rewardlab.policy.methods.judged import Judged
from rewardlab.policy.methods.rubric import balanced
from rewardlab.policy.reward import Prompt, Reward, Rollout
from rewardlab.task import Form, Message, ResourceKind, Setting, Task
from rewardlab.verdict import Status, Verdict
from tests.policy.toys import resource

PROMPT = Prompt("p", (Message("user", "Greet."),), (resource(ResourceKind.REFERENCE, "the secret"),))


def score(judged: Judged, text: str = "Hello.") -> Reward:
    return asyncio.run(judged.score(PROMPT, Rollout(text)))


class Fixed:
    """Says one number, and keeps what it was asked."""

    name = "fixed"
    forms = frozenset({Form.RATE})
    setting = Setting.STANDARD

    def __init__(self, number: float) -> None:
        self.number = number
        self.asked: list[Task] = []

    def identity(self) -> dict[str, str]:
        return {"number": str(self.number)}

    async def judge(self, task: Task) -> Verdict:
        self.asked.append(task)
        return Verdict(Status.OK, scores={task.candidates[0].id: self.number})


@pytest.mark.parametrize(("reply", "value"), [("Rating: [[1]]", 0.0), ("Rating: [[10]]", 1.0), ("[[4]]", 1 / 3)])
def test_a_rating_becomes_a_share_of_its_scale(reply: str, value: float) -> None:
    generator = ScriptedGenerator([reply])
    found = score(Judged(Direct(generator, read="text")))
    assert found.value == pytest.approx(value) and found.usage.calls == 1


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        (["I cannot say.", "Still not."], Status.UNPARSEABLE),
        ([Fail(Status.TIMEOUT)], Status.TIMEOUT),
        ([Fail(Status.ENDPOINT_ERROR)], Status.ENDPOINT_ERROR),
    ],
)
def test_a_judge_without_a_verdict_gives_no_reward(replies: list[str], status: Status) -> None:
    found = score(Judged(Direct(ScriptedGenerator(replies), read="text")))
    assert found.value is None and found.status is status and found.usage.calls == len(replies)


def test_a_reward_models_number_stays_as_it_is() -> None:
    assert score(Judged(Fixed(-7.25), scale=None)).value == -7.25


@pytest.mark.parametrize("setting", Setting)
def test_a_judge_sees_resources_only_in_its_setting(setting: Setting) -> None:
    judge = Fixed(1)
    judge.setting = setting  # type: ignore[misc]
    score(Judged(judge))
    assert bool(judge.asked[0].resources) == (setting is Setting.RESOURCE)


def test_a_judge_that_does_not_rate_is_refused() -> None:
    judge = Fixed(1)
    judge.forms = frozenset({Form.PAIR})  # type: ignore[misc]
    with pytest.raises(UserError, match="rates no single answers"):
        Judged(judge)


def test_categories_count_alike_however_many_criteria_they_have() -> None:
    criteria = balanced({"content": {"one": 1}, "form": {"two": 1, "three": 3}})
    met = {"one": 0.0, "two": 1.0, "three": 1.0}

    def scores(messages: object, continuations: object) -> list[float]:
        (asked,) = (name for name in met if f" {name}" in str(messages) or f"{name}\\n" in str(messages))
        return [0.0, -100.0] if met[asked] else [-100.0, 0.0]

    judge = Rubric(ScriptedGenerator(scores=scores), criteria)
    assert score(Judged(judge)).value == pytest.approx(0.5)  # (0 + 1) / 2, where the plain share is 4/5
    with pytest.raises(UserError, match="another category"):
        balanced({"a": {"one": 1}, "b": {"one": 1}})
