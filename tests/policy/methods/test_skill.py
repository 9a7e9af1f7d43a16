from __future__ import annotations

import asyncio
import json

import pytest

from rewardlab.judges.verifier_only import VerifierOnly
from rewardlab.judges.verify import Verifiers
from rewardlab.policy.methods.skill import Skill, caps
from rewardlab.policy.reward import Prompt, Reward, Rollout
from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.task import Form, Message, ResourceKind, Setting, Task
from rewardlab.verdict import Decision, Evidence, Hardness, Status, Usage, Verdict
from rewardlab.verifiers.constraints import describe
from tests.policy.toys import resource

S, V, U = Decision.SATISFIED, Decision.VIOLATED, Decision.UNSURE
GERMAN = {"kind": "language:response_language", "language": "de"}
JSON = {"kind": "detectable_format:json_format"}
PROMPT = Prompt(
    "p", (Message("user", "?"),), (resource(ResourceKind.CHECKLIST, json.dumps([GERMAN, JSON, "Be kind."])),)
)


def entry(criterion: str, decision: Decision, weight: float = 1.0, supported: bool = True) -> Evidence:
    return Evidence(criterion, "rollout", "", decision, Hardness.SOFT, weight, supported=supported)


class Says:
    """A judge with a given verdict."""

    name = "says"
    forms = frozenset({Form.RATE})
    setting = Setting.RESOURCE

    def __init__(self, *ledger: Evidence, status: Status = Status.OK) -> None:
        self._ledger, self._status = ledger, status

    def identity(self) -> dict[str, str]:
        return {}

    async def judge(self, task: Task) -> Verdict:
        scores = {"rollout": 1.0} if self._status is Status.OK else {}
        return Verdict(self._status, scores=scores, ledger=self._ledger, usage=Usage(calls=1))


def score(*judges: Says | VerifierOnly, text: str = "Hallo.") -> Reward:
    return asyncio.run(Skill(judges).score(PROMPT, Rollout(text)))


@pytest.mark.parametrize(
    ("ledger", "value"),
    [
        ([entry("a", S), entry("b", S), entry("c", V)], 2 / 3),
        ([entry("a", S), entry("b", U)], 1.0),
        ([entry("a", S), entry("b", V, supported=False)], 1.0),
        ([entry("a", S, 3), entry("b", V, 1)], 0.75),
        ([entry(str(n), S) for n in range(8)] + [entry("x", V), entry("y", V)], 0.6),  # two major ones
        ([entry(str(n), S) for n in range(8)] + [entry("x", V), entry("y", V, 0.5)], 8 / 9.5),
        ([entry(str(n), S) for n in range(9)] + [entry(describe(GERMAN), V)], 0.65),
        ([entry(str(n), S) for n in range(9)] + [entry(describe(JSON), V)], 0.55),
        ([entry(str(n), S) for n in range(9)] + [entry("It does the right task", V)], 0.25),
        ([entry(str(n), S) for n in range(9)] + [entry("It refuses without reason", V)], 0.25),
        ([entry("a", S), *(entry(str(n), V) for n in range(3)), entry(describe(GERMAN), V)], 0.2),  # never raises
    ],
)
def test_satisfied_of_total_with_the_lowest_cap_that_applies(ledger: list[Evidence], value: float) -> None:
    assert score(Says(*ledger)).value == pytest.approx(value)


def test_an_empty_answer_lacks_what_was_to_be_delivered() -> None:
    assert score(Says(entry("a", S)), text=" \n").value == 0.5


def test_ledgers_of_several_judges_are_one_and_costs_add_up() -> None:
    found = score(Says(entry("a", S)), Says(entry("b", V)), Says(status=Status.SKIPPED))
    assert found.value == 0.5 and len(found.ledger) == 2 and found.usage.calls == 3


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.UNPARSEABLE, Status.ENDPOINT_ERROR])
def test_half_a_ledger_is_no_reward(status: Status) -> None:
    found = score(Says(entry("a", S)), Says(status=status))
    assert found.value is None and found.status is status


def test_nothing_decided_is_no_reward() -> None:
    assert score(Says(entry("a", U))).status is Status.UNPARSEABLE
    assert score(Says(status=Status.SKIPPED)).value is None


def test_verifiers_decide_what_a_program_is_bound_to() -> None:
    verifiers = VerifierOnly(Verifiers(Bubblewrap()), ["constraints"])
    found = score(verifiers, Says(entry("Be kind.", S)), text='{"gruss": "Guten Tag, wie geht es Ihnen heute?"}')
    assert found.value == 1.0 and {e.criterion for e in found.ledger} == {describe(GERMAN), describe(JSON), "Be kind."}
    english = score(
        verifiers,
        Says(entry("Be kind.", S)),
        text="Good day to you, and thank you for the letter that you wrote to us last week.",
    )
    assert english.value == pytest.approx(1 / 3)
    names = {name for name, _ in caps(PROMPT, Rollout("x"), english.ledger, 1.0)}
    assert names == {"wrong language", "broken form", "several major violations"}
