from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.errors import UserError
from rewardlab.policy.adapters.trl import TrlReward, dataset
from rewardlab.policy.methods.noise import Noisy
from rewardlab.policy.reward import Prompt, RewardMethod, prompts_of
from rewardlab.policy.tasks import unbound
from tests.policy.policies import ROOT, folder
from tests.policy.toys import Letters, StepGain


def skill_reward() -> RewardMethod:
    """Skill-RM as configs/reward/imperfect_skill.yaml makes it: no model is needed for it."""
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        method: RewardMethod = instantiate(compose("train_policy", overrides=["reward=imperfect_skill"]).reward)
    return method


def prompts(count: int = 2) -> list[Prompt]:
    asked = prompts_of(Verifiable("train", "rate", per_family=count, families=["counted_sentences"]))
    return [unbound(prompt, ["length_constraints:number_sentences"]) for prompt in asked]


def test_groups_are_scored_together_and_failures_are_none() -> None:
    asked = prompts()
    reward = TrlReward(Noisy(Letters(), 0.5, "fail"), asked)
    ids = [prompt.id for prompt in asked for _ in range(20)]
    texts = [[{"role": "assistant", "content": f"abc {n}"}] for n in range(40)]
    found = asyncio.run(reward(prompts=ids, completions=texts, prompt_id=ids))
    assert len(found) == 40 and None in found and any(value is not None for value in found)
    again = TrlReward(Letters(), asked)
    asyncio.run(again(prompts=ids, completions=texts, prompt_id=ids))
    assert again._method.state_dict() == {"groups": 2}


def test_what_trl_cannot_carry_is_refused() -> None:
    with pytest.raises(UserError, match="advantages by segment"):
        TrlReward(StepGain(), prompts())


def test_resources_stay_out_of_the_dataset() -> None:
    rows = dataset(prompts())
    assert set(rows.column_names) == {"prompt", "prompt_id"}
    assert '"kind"' not in str(rows.to_list())


@pytest.mark.slow
def test_two_steps_of_grpo_with_our_skill_reward(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="pip install rewardlab[trl]")
    asked = prompts(4)
    trainer = trl.GRPOTrainer(
        str(folder(tmp_path / "base")),
        reward_funcs=TrlReward(skill_reward(), asked),
        train_dataset=dataset(asked),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path / "out"),
            use_cpu=True,
            bf16=False,
            max_steps=2,
            num_generations=4,
            per_device_train_batch_size=4,
            max_completion_length=12,
            logging_steps=1,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
    )
    trainer.train()
    logged = [entry for entry in trainer.state.log_history if "rewards/imperfect_skill/mean" in entry]
    assert trainer.state.global_step == 2 and len(logged) == 2
    assert all(0.0 <= entry["rewards/imperfect_skill/mean"] <= 1.0 for entry in logged)
