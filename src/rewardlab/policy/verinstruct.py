"""VerInstruct (the data of VerIF; some 22,000 instructions), its checkers bound to the functions that decide them.

A row has `id`, `prompt`, `checkers` (sentences tagged [rule] or [llm]) and `functions`, one for each checker: Python
that defines `check_following(instruction, response)` for a [rule], and nothing of use for an [llm]. Released
rewards drop the functions because a checker is a text there and code is looked for in mappings only; here a [rule]
becomes a checklist entry with its source, which `verifiers.functions` runs in a sandbox, and an [llm] one in prose.

`training_row` is the layout that verl reads: the policy's messages in `prompt`, everything else in `extra_info`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rewardlab.benchmarks.rows import Hub, Row, load, unique
from rewardlab.judges.verify import FUNCTION
from rewardlab.policy.exam import Exam
from rewardlab.policy.reward import Prompt
from rewardlab.policy.tasks import Tasks
from rewardlab.randomness import stream
from rewardlab.task import Message, Provenance, Resource, ResourceKind

SOURCE = "verinstruct"
RULE, LLM = "[rule]", "[llm]"
_ROLES = ("system", "user", "assistant")


def verinstruct(
    path: str | None = None,
    hub: Hub | None = None,
    validation: float = 0.02,
    seed: int = 42,
    limit: int | None = None,
    exams: Sequence[Exam] = (),
) -> Tasks:
    """Tasks of VerInstruct: its training part, and exams from elsewhere, for its rows have no grader of their own.

    Args:
        path: A file in the upstream layout, or a folder of .jsonl files.
        hub: Where to load from without a path.
        validation: Share of the rows that is kept out of training.
        seed: Of that draw.
        limit: Train on so many prompts; None for all.
        exams: Final exams.

    Raises:
        UserError: When the data are missing or bad.
    """
    return Tasks("verinstruct", divided(path, hub, validation, seed)["train"][:limit], (), tuple(exams))


def divided(path: str | None, hub: Hub | None, validation: float, seed: int) -> dict[str, tuple[Prompt, ...]]:
    """The prompts in two parts, "train" and "validation", by a seeded draw. Arguments and failures as above."""
    rows = load(path, hub, ("*.jsonl",), {}).rows
    unique(rows, "id", [row.name("id") for row in rows])
    order = [int(i) for i in stream(seed, SOURCE).permutation(len(rows))]
    first = round(validation * len(rows))
    parts = {"train": order[first:], "validation": order[:first]}
    return {name: tuple(_prompt(rows[i]) for i in chosen) for name, chosen in parts.items()}


def training_row(prompt: Prompt, split: str) -> dict[str, Any]:
    """A prompt as a row of the parquet file that verl trains on."""
    (checklist,) = prompt.of_kind(ResourceKind.CHECKLIST)
    messages = [{"role": m.role, "content": m.content} for m in prompt.messages]
    return {
        "data_source": SOURCE,
        "prompt": messages,
        "reward_model": {"style": "rule", "ground_truth": ""},
        "extra_info": {
            "split": split,
            "sample_id": prompt.id,
            "messages": json.dumps(messages),
            "checklist": checklist.content,
        },
    }


def prompt_of_row(extra_info: Mapping[str, Any]) -> Prompt:
    """The prompt behind a row's `extra_info`: that of `training_row`, or that of the released converter, which has
    `query`, `system_prompt`, `history`, `checkers` and `functions`.

    Raises:
        KeyError: When it is neither.
    """
    name = str(extra_info["sample_id"])
    if "checklist" in extra_info:
        messages = tuple(Message(m["role"], m["content"]) for m in json.loads(extra_info["messages"]))
        return Prompt(name, messages, (_checklist(extra_info["checklist"]),))
    history = extra_info.get("history") or []
    turns = json.loads(history) if isinstance(history, str) else history
    said = [("system", extra_info["system_prompt"])] if extra_info.get("system_prompt") else []
    said += [(turn["role"], turn["content"]) for turn in turns] + [("user", extra_info["query"])]
    entries = bound(list(extra_info["checkers"]), list(extra_info["functions"]))
    return Prompt(name, tuple(Message(r, c) for r, c in said), (_checklist(json.dumps(entries)),))  # type: ignore[arg-type]


def bound(checkers: Sequence[str], functions: Sequence[str]) -> list[Any]:
    """Checklist entries: a mapping with its function for a [rule], a sentence for an [llm].

    Args:
        checkers: Tagged sentences.
        functions: One for each.

    Raises:
        ValueError: When there are not as many functions as checkers, or a checker has no tag.

    >>> bound(["[llm] Is it kind?"], [""])
    ['Is it kind?']
    """
    entries: list[Any] = []
    for checker, function in zip(checkers, functions, strict=True):
        criterion = checker.replace(RULE, "").replace(LLM, "").strip()
        if RULE in checker:
            entries.append({"kind": FUNCTION, "criterion": criterion, "source": function})
        elif LLM in checker:
            entries.append(criterion)
        else:
            raise ValueError(f"a checker is tagged neither {RULE} nor {LLM}: {checker[:100]!r}")
    return entries


def _prompt(row: Row) -> Prompt:
    checkers, functions = row.texts("checkers"), row.texts("functions", empty=True)
    try:
        entries = bound(checkers, functions)
    except ValueError as problem:
        row.fail("checkers", str(problem))
    return Prompt(f"{SOURCE}/{row.name('id')}", _messages(row), (_checklist(json.dumps(entries)),))


def _messages(row: Row) -> tuple[Message, ...]:
    if isinstance(row.data.get("prompt"), str):
        return (Message("user", row.text("prompt")),)
    return tuple(Message(turn.choice("role", _ROLES), turn.text("content")) for turn in row.rows("prompt"))


def _checklist(content: str) -> Resource:
    return Resource("checklist", ResourceKind.CHECKLIST, content, Provenance.MODEL)


def write_parquet(prompts: Sequence[Prompt], file: Path, split: str) -> None:
    """Write prompts as the parquet file that verl trains on."""
    import datasets

    file.parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_list([training_row(prompt, split) for prompt in prompts]).to_parquet(str(file))
