"""Lets the embedded model end worked solutions, keeps where it fails plausibly, and writes `samples.json`.

    python -m rewardlab.benchmarks.verifiable.sampling

The model gets a question as the user's turn, and as the beginning of its own turn the right working up to the last "=".
Whole solutions of a model of this size rarely resemble an answer, but its endings often do. Of a few samples for each
example, the first that is a total of the right form is kept: another number, of the same sign and length, and no
further off than a slip may be (`is_near`). In each split of each family those above the right total are at most one
more or fewer than those below, since a model that mostly reckons too low would let the largest number win.

The file names examples by family and index and holds nothing but these numbers, of 138 examples. Making an example
therefore runs no model, and is the same on every machine. Other examples have slips alone.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rewardlab.benchmarks.verifiable.catalogue import examples
from rewardlab.benchmarks.verifiable.example import Example
from rewardlab.models.batching import Batcher, Job
from rewardlab.models.decoding import Turn
from rewardlab.models.embedded import load_embedded
from rewardlab.models.local import end_tokens
from rewardlab.models.packed import adopt
from rewardlab.models.prefix_cache import PrefixCache
from rewardlab.models.protocol import Sampling
from rewardlab.randomness import stream

COUNTS = {"train": 40, "dev": 20, "test": 40, "heldout": 40}  # examples of each family, from the first of seed 0
_FAMILIES = ["chain_sum", "basic_arithmetic", "products", "complex_arithmetic"]
FAMILIES = {"heldout": ["simple_geometry"], "train": _FAMILIES, "dev": _FAMILIES, "test": _FAMILIES}
_SAMPLES = 8
_BATCH = 64
_CACHE_BYTES = 2**27  # the prompts of a batch; earlier ones share nothing with later ones
_LIMIT = 10_000  # what the model makes of larger totals has hardly ever their length
# A blank, a sign, four digits, and what a solution goes on with after a number.
_SAMPLING = Sampling(temperature=1.0, max_tokens=7, stop=(";", ",", ".", "\n"))
_TOTAL = re.compile(r" ?(-?[1-9]\d*)")


def sample() -> dict[str, dict[str, int]]:
    """The whole table: family to index to a wrong last total."""
    sampler = _Sampler()
    table: dict[str, dict[str, int]] = {}
    for split, families in FAMILIES.items():
        for family in families:
            asked = examples(split, COUNTS[split], 0, [family])
            short = [e for e in asked if _ends_in_short_total(e)]
            kept = balanced(zip(short, sampler.wrong_totals(short), strict=True))
            logging.info("%s %s: %d of %d examples", split, family, len(kept), len(asked))
            table.setdefault(family, {}).update(kept)
    return table


def balanced(found: Iterable[tuple[Example, list[int]]]) -> dict[str, int]:
    """Of each example the first total that leaves those above the right one at most one ahead or behind."""
    ahead, kept = 0, {}
    for example, totals in found:
        right = _ending(example)[1]
        for total in totals:
            side = 1 if total > right else -1
            if abs(ahead + side) <= 1:
                ahead += side
                kept[str(example.index)] = total
                break
    return kept


def _ending(example: Example) -> tuple[str, int]:
    """The right working up to its last "=", and what stands behind that."""
    claims = "; ".join(step.claim for step in example.draft.right[0].steps)
    working, _, total = claims.rpartition("= ")
    return f"{working}=", int(total)


def _ends_in_short_total(example: Example) -> bool:
    return "*" not in example.draft.right[0].steps[-1].claim and abs(_ending(example)[1]) < _LIMIT


class _Sampler:
    """Continues the model's own turn, many at a time."""

    def __init__(self) -> None:
        model, self._tokenizer = load_embedded()
        self._ends = end_tokens(model, self._tokenizer)
        self._batcher = Batcher(adopt(model), PrefixCache(_CACHE_BYTES), _BATCH)

    def wrong_totals(self, asked: Sequence[Example]) -> Iterator[list[int]]:
        """For each example the wrong totals of the right form, in the order of the samples."""
        for start in range(0, len(asked), _BATCH // _SAMPLES):
            chunk = asked[start : start + _BATCH // _SAMPLES]
            turns = [[self._begun(example, number) for number in range(_SAMPLES)] for example in chunk]
            while not self._batcher.idle:
                self._batcher.step()
            for example, several in zip(chunk, turns, strict=True):
                read = [_TOTAL.fullmatch(turn.text()) for turn in several if turn.finish_reason == "stop"]
                totals = [int(found[1]) for found in read if found]
                yield [total for total in totals if is_near(total, _ending(example)[1])]

    def _begun(self, example: Example, number: int) -> Turn:
        said = [
            {"role": "user", "content": example.draft.question},
            {"role": "assistant", "content": _ending(example)[0]},
        ]
        prompt = self._tokenizer.apply_chat_template(said, tokenize=False, continue_final_message=True)
        ids = np.array(self._tokenizer(str(prompt), add_special_tokens=False).input_ids, np.int64)
        rng = stream(0, "samples", example.id, number)
        turn = Turn(self._tokenizer, _SAMPLING, _SAMPLING.max_tokens, self._ends, rng)
        self._batcher.add(Job(ids, turn))
        return turn


def is_near(total: int, right: int) -> bool:
    """Whether a wrong total could be a slip: its sign, its number of digits, and off by a third or by one at most."""
    alike = total * right > 0 and len(str(total)) == len(str(right))
    return alike and 0 < abs(total - right) <= max(1, abs(right) // 3)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    Path(__file__).with_name("samples.json").write_text(json.dumps(sample()) + "\n")
