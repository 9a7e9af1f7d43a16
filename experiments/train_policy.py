"""Train a policy against a reward: python experiments/train_policy.py policy=tiny tasks=instructions reward=skill."""

from __future__ import annotations

from omegaconf import DictConfig

from rewardlab.entry import main


@main("train_policy")
def train_policy(config: DictConfig) -> int:
    """Train or resume, show the numbers, log to MLflow."""
    from rewardlab import tracking
    from rewardlab.policy.run import train_policy

    trained = train_policy(config)
    if trained is None:  # another process of the same run reports
        return 0
    tracking.log_training(config.tracking, trained.folder)
    for name, value in trained.metrics["final"].items():
        print(f"{name:40} {value:12.3f}")
    print(f"\nrun folder: {trained.folder} ({trained.steps_now} of {trained.metrics['steps']} steps made now)")
    return 0


if __name__ == "__main__":
    train_policy()
