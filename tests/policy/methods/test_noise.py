from __future__ import annotations

import asyncio

import pytest

from rewardlab.errors import UnknownName, UserError
from rewardlab.policy.methods.noise import Noisy
from rewardlab.policy.reward import Prompt, Reward, Rollout
from rewardlab.task import Message
from rewardlab.verdict import Status
from tests.policy.toys import AdaptiveRubric, Letters, StepGain

PROMPT = Prompt("p", (Message("user", "?"),))
ROLLOUTS = [Rollout(f"some more text {n}") for n in range(400)]


def rewards(noisy: Noisy) -> list[Reward]:
    return list(asyncio.run(noisy.score_group(PROMPT, ROLLOUTS)))


@pytest.mark.parametrize("kind", ["flip", "gaussian", "fail"])
def test_a_share_of_the_rewards_is_disturbed_and_always_the_same(kind: str) -> None:
    plain = list(asyncio.run(Letters().score_group(PROMPT, ROLLOUTS)))
    found = rewards(Noisy(Letters(), 0.2, kind))  # type: ignore[arg-type]
    changed = [n for n, (one, other) in enumerate(zip(plain, found, strict=True)) if one != other]
    assert 0.12 < len(changed) / len(ROLLOUTS) < 0.28
    assert found == rewards(Noisy(Letters(), 0.2, kind)) != rewards(Noisy(Letters(), 0.2, kind, seed=1))  # type: ignore[arg-type]
    for n in changed:
        value = plain[n].value
        assert value is not None
        if kind == "flip":
            assert found[n].value == pytest.approx(1 - value)
        if kind == "fail":
            assert found[n].status is Status.ENDPOINT_ERROR


def test_no_noise_changes_nothing_and_state_is_that_of_the_method() -> None:
    inner = Letters()
    noisy = Noisy(inner, 0.0)
    assert rewards(noisy) == list(asyncio.run(Letters().score_group(PROMPT, ROLLOUTS)))
    assert noisy.state_dict() == {"groups": 1}
    noisy.load_state_dict({"groups": 7})
    assert inner.groups == 7
    assert Noisy(AdaptiveRubric(), 0.1).needs == AdaptiveRubric.needs
    assert "no rubric" in "no " + Noisy(AdaptiveRubric(), 0.1).lacks(PROMPT)


def test_what_noise_cannot_touch_is_refused() -> None:
    with pytest.raises(UserError, match="gives advantages itself"):
        Noisy(StepGain(), 0.1)
    with pytest.raises(UnknownName):
        Noisy(Letters(), 0.1, "loud")  # type: ignore[arg-type]
