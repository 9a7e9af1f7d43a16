"""Hidden states of a frozen backbone at the tokens that are read, computed once and kept on the disk by input.

A head on a frozen backbone needs nothing else of it, so with the states at hand a head is trained in seconds, and
other seeds, other labels, more data and other heads on the same backbone pay only for inputs that are new. They lie in
the cache folder in one SQLite file for each backbone, named by the hash of its weights. Which inputs were computed
together changes states by rounding only, as everywhere (`reward_scorer`).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from rewardlab.errors import MissingRequirement
from rewardlab.models.embedded import cache_root
from rewardlab.models.local import weights_sha256
from rewardlab.models.reward_model import RewardModel, by_length, collate
from rewardlab.models.reward_prompt import Encoded

_BATCH_TOKENS = 4096  # of a pass through the backbone
_CHUNK = 256  # inputs that are computed before they are committed; an interrupted run loses no more
_ASKED = 500  # keys of one query


class FrozenFeatures:
    """States of the backbone of one model.

    Args:
        model: In evaluation mode; its backbone is not trained.
    """

    def __init__(self, model: RewardModel) -> None:
        self._model = model

    def known(self, inputs: Sequence[Encoded]) -> frozenset[Encoded]:
        """Those of the inputs whose states are on the disk."""
        return frozenset(self._read(inputs))

    def states(self, inputs: Sequence[Encoded], show: bool = True) -> list[Tensor]:
        """States of inputs; what is not on the disk is computed and put there.

        Args:
            inputs: Any number; equal ones are computed once.
            show: Whether a terminal sees how far it is.

        Returns:
            For each input a tensor (positions, width), on the CPU in fp32.

        Raises:
            MissingRequirement: When the cache folder cannot be written.
        """
        found = self._read(inputs)
        missing = sorted({x for x in inputs if x not in found}, key=lambda x: (-len(x.ids), x))
        chunks = range(0, len(missing), _CHUNK)
        for start in tqdm(chunks, desc="features", unit="chunk", disable=None if show else True):
            computed = self._computed(missing[start : start + _CHUNK])
            self._write(computed)
            found |= computed
        return [found[x] for x in inputs]

    @cached_property
    def _path(self) -> Path:
        return cache_root() / "features" / f"{weights_sha256(self._model.backbone)[:24]}.sqlite"

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            opened = sqlite3.connect(self._path, timeout=120)
            opened.execute("CREATE TABLE IF NOT EXISTS states (key BLOB PRIMARY KEY, floats BLOB) WITHOUT ROWID")
        except (OSError, sqlite3.Error) as error:
            problem = f"the cache of features cannot be opened at {self._path}: {error}"
            raise MissingRequirement(problem, "set REWARDLAB_CACHE") from error
        return opened

    def _read(self, inputs: Sequence[Encoded]) -> dict[Encoded, Tensor]:
        by_key = {_key(x): x for x in inputs}
        keys = list(by_key)
        found: dict[Encoded, Tensor] = {}
        with closing(self._open()) as opened:
            for start in range(0, len(keys), _ASKED):
                asked = keys[start : start + _ASKED]
                marks = ",".join("?" * len(asked))
                for key, floats in opened.execute(f"SELECT key, floats FROM states WHERE key IN ({marks})", asked):
                    x = by_key[key]
                    found[x] = torch.from_numpy(np.frombuffer(floats, np.float32).reshape(len(x.at), -1).copy())
        return found

    def _write(self, states: Mapping[Encoded, Tensor]) -> None:
        rows = [(_key(x), tensor.numpy().tobytes()) for x, tensor in states.items()]
        with closing(self._open()) as opened, opened:
            opened.executemany("INSERT OR REPLACE INTO states VALUES (?, ?)", rows)

    @torch.inference_mode()
    def _computed(self, inputs: Sequence[Encoded]) -> dict[Encoded, Tensor]:
        device = next(self._model.backbone.parameters()).device
        found: dict[Encoded, Tensor] = {}
        for batch in by_length([len(x.ids) for x in inputs], _BATCH_TOKENS):
            chosen = [inputs[i] for i in batch]
            padded = collate(chosen)
            states = self._model.hidden(type(padded)(*(t.to(device) for t in padded))).float().cpu()
            found |= zip(chosen, torch.split(states, [len(x.at) for x in chosen]), strict=True)
        return found


def _key(x: Encoded) -> bytes:
    return hashlib.sha256(np.asarray([len(x.at), *x.at, *x.ids], np.int64).tobytes()).digest()
