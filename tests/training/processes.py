"""Training runs of process reward models as their rows tell of them, made up."""

from __future__ import annotations

from pathlib import Path

from rewardlab.randomness import stream
from rewardlab.training.finished import TrainedProcess
from rewardlab.training.process_metrics import Named, Scored, chosen_threshold


def trained(labels: str, seed: int, skill: float, problems: int = 40, candidates: int = 4) -> TrainedProcess:
    """A run whose model sees a wrong step with chance `skill`, and whose labels are wrong with chance 1 - skill."""
    truth, luck = stream(0, "truth"), stream(seed, "luck", labels)
    named, scored = [], []
    for part in ("train", "validation", "test"):
        for problem in range(problems):
            for _ in range(candidates):
                first = int(truth.integers(-1, 3))
                group, name = f"family{problem % 2}", f"{part}/{problem}"
                if part == "train":
                    agreed = None if luck.random() < 0.2 else first if luck.random() < skill else -1
                    named.append(Named(name, group, first, agreed))
                    continue
                seen = luck.random() < skill
                steps = tuple(0.2 if seen and step == first else 0.9 - luck.random() / 10 for step in range(3))
                scored.append(Scored(part, name, group, first, first == -1, 1, steps))
    return TrainedProcess(
        folder=Path(labels) / str(seed),
        run_id=f"{labels}{seed}",
        identity={
            "method.labels": labels,
            "method.backbone": "toy",
            "method.tuning": "frozen",
            "seed": str(seed),
        },
        commit="c0ffee",
        named=tuple(named),
        scored=tuple(scored),
        threshold=chosen_threshold(scored),
    )


def by_seed(labels: str, skill: float, seeds: int = 5) -> dict[int, TrainedProcess]:
    return {seed: trained(labels, seed, skill) for seed in range(seeds)}
