"""Preference pairs to train and validate a reward model on, from five kinds of source.

Pairs of one question are never split between training and validation. `verifiable` has splits of its own, with
questions that no other split has; of a file or hub data set a share of the questions is held out, by a hash of their
texts, so a question is held out whatever else is trained on.

Sources: the train split of `verifiable`; hh-rlhf (Anthropic/hh-rlhf: two transcripts that share their beginning);
finegrained-rlhf (allenai/FineGrainedRLHF: four outputs, six comparisons, "0" for none preferred); any other set whose
columns the config names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rewardlab.benchmarks.hh_rlhf import held_out
from rewardlab.benchmarks.hh_rlhf import sides as hh_rlhf_sides
from rewardlab.benchmarks.rows import Hub, Row, Rows, load
from rewardlab.benchmarks.verifiable import Style, examples
from rewardlab.randomness import stream
from rewardlab.task import Message
from rewardlab.training.intake import Intake


@dataclass(frozen=True, slots=True)
class Preference:
    """Of two answers to a question, which is better.

    Attributes:
        question: Oldest message first.
        chosen: The better answer.
        rejected: The other one.
        place: Where it comes from: file and row, or example id.
        group: For accuracies by group; family or file.
        margin: By how much the better one should win, in units of reward; 0 where nothing is known.
    """

    question: tuple[Message, ...]
    chosen: str
    rejected: str
    place: str
    group: str
    margin: float = 0.0


class Preferences(NamedTuple):
    """Pairs of one source.

    Attributes:
        name: Of the source, for names of runs.
        train: To train on.
        validation: To measure on; none of their questions is in `train`.
        intake: What was dropped while reading.
        source: Where they come from, for the run identity.
    """

    name: str
    train: tuple[Preference, ...]
    validation: tuple[Preference, ...]
    intake: Intake
    source: str


def verifiable(
    per_family: int,
    validation_per_family: int,
    seed: int,
    families: Sequence[str] | None = None,
    pairs_per_example: int = 3,
) -> Preferences:
    """Right against wrong solutions of the benchmark `verifiable`: train split to train, dev split to validate.

    Both sides of a pair get a style by their own draw, so neither style nor length says which is right.

    Args:
        per_family: Training examples of each family.
        validation_per_family: Validation examples of each family.
        seed: Which examples and styles, 0 to 99.
        families: Names of the families to keep, None for all.
        pairs_per_example: Wrong solutions that the right one is paired with.
    """

    def pairs(split: str, count: int, most: int) -> Iterator[Preference]:
        for example in examples(split, count, seed, families):
            if example.group == "ties":  # several right answers
                continue
            rng = stream(seed, "preferences", example.id)
            styles = list(Style)
            question = (Message("user", example.draft.question),)
            for wrong in example.draft.wrong[:most]:
                chosen, rejected = (
                    solution.texts[styles[int(rng.integers(len(styles)))]]
                    for solution in (example.draft.right[0], wrong)
                )
                yield Preference(question, chosen, rejected, example.id, example.family)

    train = tuple(pairs("train", per_family, pairs_per_example))
    validation = tuple(pairs("dev", validation_per_family, 1))
    return Preferences("verifiable", train, validation, Intake(), "verifiable")


def hh_rlhf(
    seed: int, validation: float, path: str | None = None, hub: Hub | None = None, limit: int | None = None
) -> Preferences:
    """Pairs in the layout of hh-rlhf: two whole transcripts of "Human:" and "Assistant:" turns.

    Args:
        seed: Which questions a limit keeps.
        validation: Share of the questions that are held out.
        path: A file, or a folder of .jsonl files.
        hub: Where to load from without a path.
        limit: Train on that many questions; a larger limit keeps all of a smaller one's. None for all.
    """

    def pair(row: Row) -> Preference:
        question, chosen, rejected = hh_rlhf_sides(row)
        return _pair(row, question, chosen, rejected)

    return _divided("hh_rlhf", load(path, hub, ("*.jsonl",)), lambda row, _: [pair(row)], seed, validation, limit)


def finegrained_rlhf(
    seed: int,
    validation: float,
    path: str | None = None,
    hub: Hub | None = None,
    limit: int | None = None,
    passages: bool = True,
) -> Preferences:
    """Pairs in the layout of finegrained-rlhf. Comparisons without a preference are counted and left out.

    Args:
        seed: Which questions a limit keeps.
        validation: Share of the questions that are held out.
        path: A file, or a folder of .json files.
        hub: Where to load from without a path.
        limit: Train on that many questions; a larger limit keeps all of a smaller one's. None for all.
        passages: Whether the question comes with the passages that the answers should rest on.
    """
    compared = [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]

    def pairs(row: Row, intake: Intake) -> list[Preference]:
        question = row.text("question")
        if passages:
            given = "\n\n".join(" ".join(map(str, passage)) for passage in row.data.get("passages", ()))
            question = f"{given}\n\n{question}"
        outputs = {n: row.text(f"prediction {n}") for n in range(1, 5)}
        preferred = row.integers("preference")
        if len(preferred) != len(compared) or set(preferred) - {0, 1, 2}:
            row.fail("preference", f"{list(preferred)} where six numbers among 0, 1 and 2 are expected")
        found = []
        for (first, second), better in zip(compared, preferred, strict=True):
            if better == 0:
                intake.undecided += 1
                continue
            chosen, rejected = (first, second) if better == 1 else (second, first)
            found.append(_pair(row, (Message("user", question),), outputs[chosen], outputs[rejected]))
        return found

    return _divided("finegrained_rlhf", load(path, hub, ("*.json",)), pairs, seed, validation, limit)


def columns(
    seed: int,
    validation: float,
    chosen: str,
    rejected: str,
    question: str | None = None,
    margin: str | None = None,
    path: str | None = None,
    hub: Hub | None = None,
    limit: int | None = None,
) -> Preferences:
    """Pairs of any set that has a column for each side.

    Args:
        seed: Which questions a limit keeps.
        validation: Share of the questions that are held out.
        chosen: Column of the better answer: a text, or a list of {role, content} whose last message is the answer.
        rejected: Column of the other one, likewise.
        question: Column of the question, text or messages; None where the sides are whole conversations.
        margin: Column of the margin; None for 0.
        path: A file, or a folder of .jsonl and .json files.
        hub: Where to load from without a path.
        limit: Train on that many questions; a larger limit keeps all of a smaller one's. None for all.
    """

    def pair(row: Row) -> Preference:
        asked = _messages(row, question) if question else ()
        sides = [_messages(row, side, "assistant") for side in (chosen, rejected)]
        before = asked or sides[0][:-1]
        if not before:
            row.fail(chosen, "a single answer, and the config names no question column")
        if any(len(side) > 1 and side[:-1] != before for side in sides):
            row.fail(rejected, "its messages before the answer differ from the question")
        wanted = row.number_or_none(margin) if margin else 0.0
        return _pair(row, before, sides[0][-1].content, sides[1][-1].content, wanted or 0.0)

    return _divided(
        "columns", load(path, hub, ("*.jsonl", "*.json")), lambda row, _: [pair(row)], seed, validation, limit
    )


def _divided(
    name: str,
    rows: Rows,
    pairs: Callable[[Row, Intake], list[Preference]],
    seed: int,
    validation: float,
    limit: int | None,
) -> Preferences:
    intake = Intake()
    read = [pair for of_row in intake.parse(rows.rows, lambda row: pairs(row, intake)) for pair in of_row]
    found = [pair for pair in read if pair.chosen.strip() != pair.rejected.strip()]
    for pair in read:
        if pair.chosen.strip() == pair.rejected.strip():
            intake.drop("identical pair", f"{pair.place}: both sides are the same text")
    sides: tuple[list[Preference], list[Preference]] = ([], [])
    for pair in found:
        sides[held_out(pair.question, validation)].append(pair)
    questions = sorted({pair.question for pair in sides[0]}, key=str)
    order = stream(seed, "preferences", name).permutation(len(questions)).tolist()
    used = {questions[i] for i in order[:limit]}
    train = tuple(pair for pair in sides[0] if pair.question in used)
    intake.unused = len(sides[0]) - len(train)
    return Preferences(name, train, tuple(sides[1]), intake, rows.source)


def _pair(row: Row, question: tuple[Message, ...], chosen: str, rejected: str, margin: float = 0.0) -> Preference:
    return Preference(question, chosen, rejected, f"{row.file}, row {row.number}", row.origin, margin)


def _messages(row: Row, field: str, role: Literal["user", "assistant"] = "user") -> tuple[Message, ...]:
    """A text as one message of a role, or a list of {role, content}."""
    if isinstance(row.data.get(field), str) or not row.has(field):
        return (Message(role, row.text(field)),)
    roles = ("system", "user", "assistant")
    return tuple(Message(m.choice("role", roles), m.text("content")) for m in row.rows(field))
