"""One training of a policy, from config to a run folder: `training.run` with the code and the numbers of a policy.

Beside what every training writes, the manifest has `seconds_by_phase` of the session that finished the run: rollouts,
rewards, reference, update and exams. Rewards are what the policy waited for; the judges' own time is in none of them.
"""

from __future__ import annotations

from omegaconf import DictConfig

from rewardlab.training.run import TRAINING_CODE, Trained, train

# The code that decides what is trained; judges and verifiers are part of every identity.
POLICY_CODE = (*TRAINING_CODE, "policy")


def train_policy(config: DictConfig) -> Trained | None:
    """Train as a composed config of experiments/train_policy.py says.

    Returns:
        The finished run; None in processes other than the first one.

    Raises:
        UserError: When something is missing or wrong; nothing of an earlier run is changed.
    """
    return train(config, POLICY_CODE, lambda method: {"seconds_by_phase": method.seconds()})
