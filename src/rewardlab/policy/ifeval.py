"""IFEval's prompts as an exam (Zhou et al., arXiv 2311.07911): nothing of it is ever trained on.

A prompt counts when all of its instructions are followed, an instruction for itself; both strictly and loosely, as
`verifiers.ifeval` says. An instruction whose official result is a random draw counts as not followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewardlab.benchmarks.rows import Hub, Row, load, unique
from rewardlab.policy.exam import Exam
from rewardlab.policy.reward import Prompt
from rewardlab.randomness import stream
from rewardlab.task import Message
from rewardlab.verifiers.ifeval import CHECKS, check


def ifeval(path: str | None = None, hub: Hub | None = None, limit: int | None = None, seed: int = 0) -> Exam:
    """The exam "ifeval".

    Args:
        path: The file input_data.jsonl, or its folder.
        hub: Where to load from without a path.
        limit: Ask so many prompts, drawn with the seed; None for all.
        seed: Of that draw.

    Raises:
        UserError: When the data are missing or bad.
    """
    rows = load(path, hub, ("input_data.jsonl",), {}).rows
    unique(rows, "key", [row.name("key") for row in rows])
    chosen = [int(i) for i in stream(seed, "ifeval").permutation(len(rows))][:limit]
    asked = {f"ifeval/{rows[i].name('key')}": rows[i] for i in sorted(chosen)}
    instructions = {name: _instructions(row) for name, row in asked.items()}

    def grade(prompt: Prompt, text: str) -> Mapping[str, float]:
        names, arguments = instructions[prompt.id]
        found = check(names, arguments, text)
        return {
            f"{level}_{how}": value
            for how, followed in (("strict", found.strict), ("loose", found.loose))
            for level, value in (
                ("prompt", float(all(one is True for one in followed))),
                ("instruction", sum(one is True for one in followed) / len(followed)),
            )
        }

    prompts = tuple(Prompt(name, (Message("user", row.text("prompt")),)) for name, row in asked.items())
    return Exam("ifeval", prompts, grade)


def _instructions(row: Row) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    names = row.texts("instruction_id_list")
    for name in names:
        if name not in CHECKS:
            row.fail("instruction_id_list", f"{name!r} is no instruction of IFEval")
    given = row.rows("kwargs", least=len(names))
    return names, [{key: value for key, value in one.data.items() if value is not None} for one in given]
