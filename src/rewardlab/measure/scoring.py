"""What our scoring by a scalar reward model is worth against plain batching.

The reference is what RewardBench's pipeline does with a sequence classifier: rows in file order, eight to a batch,
padded on the left to the longest (rewardbench 0.1.4, models/pipeline.py). The package itself asks for transformers
4.51.0 and its pipeline for a CUDA device, so that its code cannot be run beside ours; these are its calls. Both sides
start from texts, and their scores must be equal, or no ratio comes of it.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Sequence
from typing import Any

import torch

from rewardlab.errors import RewardLabError
from rewardlab.measure.ratio import Ratio
from rewardlab.models.reward_checkpoint import EMBEDDED, Card, LoadedRewardModel, load_backbone
from rewardlab.models.reward_model import RewardModel
from rewardlab.models.reward_scorer import RewardScorer
from rewardlab.training.preferences import Preference, verifiable
from rewardlab.training.tuning import Lora, build

EQUAL = 1e-4
SEED = 0


class DifferentNumbers(RewardLabError):
    """Two ways of doing the same gave different numbers."""


class ScalarScoring:
    """Answers scored a second.

    Args:
        per_family: Questions of each family of `verifiable`, with two answers each.
        batch: Rows of a batch on the other side; RewardBench's default is 8.
        at_least: What our way must be worth.
        backbone: "embedded", a name on the hub, or a folder.
    """

    def __init__(self, per_family: int, batch: int, at_least: float, backbone: str = EMBEDDED) -> None:
        self._per_family, self._batch, self._at_least, self._backbone = per_family, batch, at_least, backbone

    def measure(self) -> Sequence[Ratio]:
        """Our scorer against plain batching, with one fresh head.

        Raises:
            MissingRequirement: When the backbone cannot be loaded.
            DifferentNumbers: When a score differs by more than 1e-4.
        """
        pairs = verifiable(0, self._per_family, SEED).validation
        model, tokenizer = build("scalar", self._backbone, "full", Lora(), SEED)
        scorer = RewardScorer(LoadedRewardModel(model.train(False), tokenizer, Card("scalar", self._backbone, "full")))
        theirs = classifier(self._backbone, model).train(False)
        started = time.perf_counter()
        scores = asyncio.run(_scored(scorer, pairs))
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        others = _scored_plainly(theirs, tokenizer, pairs, self._batch)
        other = time.perf_counter() - started
        apart = max(abs(a - b) for a, b in zip(scores, others, strict=True))
        if apart > EQUAL:
            raise DifferentNumbers(f"scores of the two ways differ by {apart:.1e}")
        raw = {"answers": len(scores), "seconds": [seconds, other], "largest_difference": apart}
        against = f"transformers, batches of {self._batch} as RewardBench"
        rates = len(scores) / seconds, len(scores) / other
        return [Ratio("scoring by a reward model", rates[0], against, rates[1], "answers/s", self._at_least, raw=raw)]


def classifier(backbone: str, model: RewardModel) -> Any:
    """A backbone as transformers' sequence classifier, with the head of a scalar model of ours.

    Args:
        backbone: As it was before any training.
        model: Has the head.
    """
    from transformers import AutoModelForSequenceClassification

    body: Any = load_backbone(backbone, torch.float32, "cpu")[0]
    config = copy.deepcopy(body.config)
    config.num_labels = 1
    found = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    found.base_model.load_state_dict(body.state_dict())
    with torch.no_grad():
        found.score.weight.copy_(next(model.head.parameters()))
    return found


async def _scored(scorer: RewardScorer, pairs: Sequence[Preference]) -> list[float]:
    inputs = [scorer.prompt.whole(p.question, side) for p in pairs for side in (p.chosen, p.rejected)]
    return [read.outputs[0][0] for read in await scorer.read(inputs)]


@torch.no_grad()
def _scored_plainly(model: Any, tokenizer: Any, pairs: Sequence[Preference], size: int) -> list[float]:
    texts = []
    for pair in pairs:
        asked = [{"role": message.role, "content": message.content} for message in pair.question]
        for side in (pair.chosen, pair.rejected):
            said = [*asked, {"role": "assistant", "content": side}]
            texts.append(tokenizer.apply_chat_template(said, tokenize=False))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = -1  # no token: with padding on the left the last place is the one to read
    found: list[float] = []
    for start in range(0, len(texts), size):
        batch = tokenizer(
            texts[start : start + size],
            padding=True,
            padding_side="left",
            add_special_tokens=False,  # the template has them
            return_token_type_ids=False,
            return_tensors="pt",
        )
        found += model(**batch).logits[:, 0].tolist()
    return found
