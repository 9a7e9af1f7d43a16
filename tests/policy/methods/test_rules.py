from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from rewardlab.benchmarks.verifiable import Verifiable, examples
from rewardlab.errors import UserError
from rewardlab.policy.methods.rules import Rules
from rewardlab.policy.reward import Prompt, RewardMethod, Rollout, check_needs, prompts_of
from rewardlab.task import Message
from rewardlab.verdict import Status


@pytest.fixture(scope="module")
def rules() -> Rules:
    config = OmegaConf.load(Path(__file__).parents[3] / "configs" / "reward" / "rules.yaml")
    method = instantiate(config)
    assert isinstance(method, RewardMethod)
    return method


@pytest.mark.parametrize("family", ["chain_sum", "counted_sentences", "simple_equations"])
def test_right_solutions_get_more_than_wrong_ones(rules: Rules, family: str) -> None:
    prompts = {p.id: p for p in prompts_of(Verifiable("train", "rate", per_family=3, families=[family]))}
    check_needs(rules, list(prompts.values()))
    for example in examples("train", 3, 0, [family]):
        rollouts = [Rollout(next(iter(s.texts.values()))) for s in (*example.draft.right, *example.draft.wrong)]
        values = [r.value for r in asyncio.run(rules.score_group(prompts[example.id], rollouts))]
        assert values[0] == 1.0
        assert all(value is not None and value < 1.0 for value in values[1:])
        assert family == "counted_sentences" or set(values[1:]) == {0.0}


def test_constraints_give_the_share_that_is_met(rules: Rules) -> None:
    (prompt, *_) = prompts_of(Verifiable("train", "rate", per_family=1, families=["counted_sentences"]))
    (checklist,) = prompt.resources
    (reward,) = asyncio.run(rules.score_group(prompt, [Rollout("No.")]))
    assert len(reward.ledger) == len(json.loads(checklist.content))
    met = sum(entry.decision.value == "satisfied" for entry in reward.ledger)
    assert reward.value == met / len(reward.ledger)


def test_what_no_verifier_can_decide_is_masked_and_not_zero(rules: Rules) -> None:
    (prompt, *_) = prompts_of(Verifiable("train", "rate", per_family=1, families=["chain_sum"]))
    (reward,) = asyncio.run(rules.score_group(prompt, [Rollout("I would rather not say.")]))
    assert reward.value is None and reward.status is Status.UNPARSEABLE


def test_prompts_without_any_rule_are_refused(rules: Rules) -> None:
    with pytest.raises(UserError, match="prompt p has no reference or checklist or tests"):
        check_needs(rules, [Prompt("p", (Message("user", "Write a poem."),))])
