"""hh-rlhf (Bai et al., arXiv 2204.05862): pairs of transcripts that share their beginning, one preferred by a person.

A row is two whole transcripts of "Human:" and "Assistant:" turns; what counts is the last turn. Official is plain
accuracy over the orders shown. The pairs may be restricted to those that training holds out (`held_out`), so a reward
model that was trained on the same file is measured on questions that it has not seen.

Rows that the schema refuses, and those whose two sides are equal, are left out, as training leaves them out; the counts
are part of the identity.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from rewardlab.benchmarks.pairs import AccuracyPairs, Pair
from rewardlab.benchmarks.protocol import Place
from rewardlab.benchmarks.rows import Hub, Row, load
from rewardlab.errors import BadData
from rewardlab.task import Message


class HHRLHF(AccuracyPairs):
    """hh-rlhf.

    Args:
        path: A file, or a folder of .jsonl files.
        hub: Where to load from without a path.
        validation: Only the pairs that training with this `data.validation` holds out; 1 for all.

    Raises:
        UserError: When the data are missing, or no row is usable.
    """

    name = "hh_rlhf"

    def __init__(self, path: str | None = None, hub: Hub | None = None, validation: float = 1.0) -> None:
        rows = load(path, hub, ("*.jsonl",))
        pairs, self._unusable = [], 0
        for row in rows.rows:
            try:
                pair = _pair(row)
            except BadData:
                self._unusable += 1
                continue
            if held_out(pair.question, validation):
                pairs.append(pair)
        if not pairs:
            raise BadData(rows.source, 0, "chosen", "no row is a usable pair")
        super().__init__(pairs, rows)

    def identity(self) -> Mapping[str, str]:
        """That of pairs, and how many rows are unusable."""
        return {**super().identity(), "unusable_rows": str(self._unusable)}


def held_out(question: Sequence[Message], share: float) -> bool:
    """Whether a question is held out for validation: decided by its text alone, whatever stands beside it in a file.

    Args:
        question: Oldest message first.
        share: Of all questions, 0 to 1.
    """
    text = "\n".join(f"{message.role}: {message.content}" for message in question)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) < share * 2**32


_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant): ?")
_ROLES: Mapping[str, Literal["user", "assistant"]] = {"Human": "user", "Assistant": "assistant"}


def sides(row: Row) -> tuple[tuple[Message, ...], str, str]:
    """The shared beginning, the preferred answer and the other one.

    Raises:
        BadData: When a side is missing or no transcript, or the beginnings differ.
    """
    chosen, rejected = (_transcript(row, side) for side in ("chosen", "rejected"))
    if chosen[:-1] != rejected[:-1]:
        row.fail("rejected", "its turns before the answer differ from those of chosen")
    return chosen[:-1], chosen[-1].content, rejected[-1].content


def _transcript(row: Row, field: str) -> tuple[Message, ...]:
    """The turns of a transcript, the last one the assistant's."""
    before, *turns = _TURN.split(row.text(field))
    messages = tuple(Message(_ROLES[who], text.strip()) for who, text in zip(turns[::2], turns[1::2], strict=True))
    if before.strip() or len(messages) < 2 or messages[0].role != "user" or messages[-1].role != "assistant":
        row.fail(field, "no transcript that begins with Human: and ends with Assistant:")
    if not messages[-1].content:
        row.fail(field, "the answer is empty")
    return messages


def _pair(row: Row) -> Pair:
    question, better, worse = sides(row)
    if better == worse:
        row.fail("rejected", "both sides are the same text")
    cluster = hashlib.sha256("\n".join(m.content for m in question).encode()).hexdigest()[:12]
    name = f"{row.origin}/{row.number}"
    return Pair(name, Place(name, row.origin), row.origin, question, better, worse, (), cluster)
