"""The Bradley-Terry reward model: a number for an answer, learned from which of two answers is better.

The loss of a pair is -log sigmoid(r_w - r_l - m) (Bradley-Terry; the margin m as in Llama 2, arXiv 2307.09288, section
3.2.2). Rewards are free up to a constant for each question, so `centring` may add c (r_w + r_l)^2, which holds them
near zero (Eisenstein et al., arXiv 2312.09244). Both sides of a pair go through the model in one batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rewardlab.models.reward_checkpoint import Card, Tuning, save_reward_model
from rewardlab.models.reward_prompt import RewardPrompt
from rewardlab.training.method import OverLong, digest, fitted
from rewardlab.training.module import Item, RewardModule
from rewardlab.training.preferences import Preference, Preferences
from rewardlab.training.tuning import Lora, Optimisation, build, features


def bradley_terry_loss(chosen: Tensor, rejected: Tensor, margin: Tensor, centring: float) -> Tensor:
    """Mean loss over pairs.

    Args:
        chosen: Rewards (n) of the better answers.
        rejected: Rewards (n) of the others.
        margin: (n).
        centring: Weight of the squared sum of both rewards.

    >>> zero = torch.zeros(1)
    >>> round(float(bradley_terry_loss(zero, zero, zero, 0.0)), 4)  # log 2 at equal rewards
    0.6931
    """
    loss = -functional.logsigmoid(chosen - rejected - margin)
    return (loss + centring * (chosen + rejected) ** 2).mean()


class BradleyTerryModule(RewardModule):
    """A scalar reward model in training; an item is a pair, its target the margin.

    Args:
        centring: As of `bradley_terry_loss`.
        options: Those of `RewardModule`.
    """

    def __init__(self, *, centring: float, **options: Any) -> None:
        super().__init__(**options)
        self._centring = centring

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The Bradley-Terry loss; outputs are all chosen rewards, then all rejected ones."""
        chosen, rejected = outputs[:, 0].chunk(2)
        return bradley_terry_loss(chosen, rejected, targets, self._centring)

    def metrics(self, outputs: Sequence[Tensor], items: Sequence[Item]) -> Mapping[str, float]:
        """Loss, accuracy (an equal pair is none), mean gap and mean reward."""
        if not items:
            return {}
        rewards = torch.stack([output[:, 0] for output in outputs])
        margin = torch.tensor([item.targets[0] for item in items])
        loss = bradley_terry_loss(rewards[:, 0], rewards[:, 1], margin, self._centring)
        gap = rewards[:, 0] - rewards[:, 1]
        return {
            "loss": float(loss),
            "accuracy": float((gap > 0).float().mean()),
            "gap": float(gap.mean()),
            "reward": float(rewards.mean()),
        }


class BradleyTerry:
    """Training of a scalar reward model on preference pairs.

    Args:
        preferences: The data.
        backbone: "embedded", a name on the hub, or a folder.
        tuning: "full", "lora" or "frozen".
        optimisation: How weights are moved.
        seed: Of fresh weights and the order of the data.
        lora: The adapter, for "lora".
        centring: As of `bradley_terry_loss`.
        max_length: Most tokens of an input.
        over_long: "drop" longer pairs, or "truncate" the beginning of their question.
        max_dropped: Largest share of pairs that may be dropped.
        max_truncated: Largest share of pairs that may be cut.
    """

    name = "bradley_terry"

    def __init__(
        self,
        preferences: Preferences,
        backbone: str,
        tuning: Tuning,
        optimisation: Optimisation,
        seed: int,
        lora: Lora,
        centring: float = 0.0,
        max_length: int = 1024,
        over_long: OverLong = "drop",
        max_dropped: float = 0.01,
        max_truncated: float = 0.05,
    ) -> None:
        self._preferences = preferences
        self._card = Card("scalar", backbone, tuning)
        self._optimisation, self._seed, self._lora, self._centring = optimisation, seed, lora, centring
        self._max_length, self._over_long = max_length, over_long
        self._max_dropped, self._max_truncated = max_dropped, max_truncated
        self._kept: list[list[Preference]] = []

    def prepare(self) -> BradleyTerryModule:
        """Encode the pairs and build the model. Raises as `Method.prepare`."""
        model, tokenizer = build("scalar", self._card.backbone, self._card.tuning, self._lora, self._seed)
        prompt = RewardPrompt(tokenizer)
        self._kept, parts = [], []
        for pairs in (self._preferences.train, self._preferences.validation):
            found = [(pair, item) for pair in pairs if (item := self._item(prompt, pair)) is not None]
            self._kept.append([pair for pair, _ in found])
            parts.append([item for _, item in found])
        self._preferences.intake.check("preference pairs", self._max_dropped, self._max_truncated)
        if self._card.tuning == "frozen":
            states = iter(features(model, [x for items in parts for item in items for x in item.inputs]))
            parts = [[item._replace(features=(next(states), next(states))) for item in items] for items in parts]
        return BradleyTerryModule(
            centring=self._centring,
            model=model,
            train=parts[0],
            validation=parts[1],
            final=parts[1],
            optimisation=self._optimisation,
            seed=self._seed,
        )

    def data(self) -> Mapping[str, Any]:
        """Source, number of pairs and a hash over them."""
        rows = [[asdict(pair) for pair in pairs] for pairs in self._kept]
        return {
            "preferences": self._preferences.name,
            "source": self._preferences.source,
            "pairs": len(rows[0]),
            "validation_pairs": len(rows[1]),
            "sha256": digest([[{**row, "place": ""} for row in part] for part in rows]),
        }

    def counts(self) -> Mapping[str, Any]:
        """Pairs kept, dropped and cut."""
        return self._preferences.intake.counts()

    def outputs(self, module: RewardModule) -> Sequence[Mapping[str, Any]]:
        """Rewards and lengths of both sides of each validation pair, and a hash of its question."""
        return [
            {
                "question": digest([m.content for m in pair.question])[:16],
                "group": pair.group,
                "rewards": [round(float(reward), 6) for reward in outputs[:, 0]],
                "characters": [len(pair.chosen), len(pair.rejected)],
            }
            for pair, outputs in zip(self._kept[1], module.final_outputs, strict=True)
        ]

    def evaluate(self, module: RewardModule) -> Mapping[str, float]:
        """Validation accuracy by group, and what always choosing the longer or shorter answer would get."""
        rows = self.outputs(module)
        if not rows:
            return {}
        by_group: defaultdict[str, list[bool]] = defaultdict(list)
        for row in rows:
            by_group[row["group"]].append(row["rewards"][0] > row["rewards"][1])
        return {
            **{f"accuracy/{group}": sum(hits) / len(hits) for group, hits in sorted(by_group.items())},
            "accuracy": sum(map(sum, by_group.values())) / len(rows),
            "longest": sum(row["characters"][0] > row["characters"][1] for row in rows) / len(rows),
            "shortest": sum(row["characters"][0] < row["characters"][1] for row in rows) / len(rows),
        }

    def save(self, folder: Path, module: RewardModule, weights: Mapping[str, Tensor]) -> None:
        """Save head, and adapter or backbone."""
        inner = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
        save_reward_model(folder, self._card, module.model, inner)

    def _item(self, prompt: RewardPrompt, pair: Preference) -> Item | None:
        intake = self._preferences.intake
        encoded = [prompt.whole(pair.question, side) for side in (pair.chosen, pair.rejected)]
        inputs = fitted(encoded, self._max_length, self._over_long, intake, pair.place)
        if inputs is None:
            return None
        if inputs[0] == inputs[1]:
            intake.drop("identical pair", f"{pair.place}: both sides are the same tokens")
            return None
        intake.kept += 1
        return Item(inputs, (pair.margin,))
