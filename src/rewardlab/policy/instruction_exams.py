"""The prompts of IFEval (Zhou et al., arXiv 2311.07911) and IFBench (Pyatkin et al., arXiv 2507.02833) as exams.

A prompt counts when all of its instructions are followed, an instruction for itself; both strictly and loosely, as
`verifiers.ifeval` says. A prompt with an instruction that cannot be decided here, or whose official result is a random
draw, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rewardlab.benchmarks.rows import Hub, Row, load, unique
from rewardlab.policy.exam import Exam
from rewardlab.policy.reward import Prompt
from rewardlab.randomness import stream
from rewardlab.task import Message
from rewardlab.verifiers import ifbench as ifbench_checks
from rewardlab.verifiers import ifeval as ifeval_checks
from rewardlab.verifiers.ifeval import Following

Check = Callable[[Sequence[str], Sequence[Mapping[str, Any]], str], Following]


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
    return _exam("ifeval", rows, ifeval_checks.CHECKS, ifeval_checks.check, limit, seed)


def ifbench(path: str | None = None, hub: Hub | None = None, limit: int | None = None, seed: int = 0) -> Exam:
    """The exam "ifbench"; the file is IFBench_test.jsonl. Arguments and failures as of `ifeval`."""
    rows = load(path, hub, ("IFBench_test.jsonl",), {}).rows
    known = {**ifbench_checks.CHECKS, **ifeval_checks.CHECKS}
    return _exam("ifbench", rows, known, _by_either, limit, seed)


def _by_either(names: Sequence[str], arguments: Sequence[Mapping[str, Any]], text: str) -> Following:
    """Check instructions of both benchmarks, which IFBench's prompts mix."""
    found = [
        (ifbench_checks.check if name in ifbench_checks.CHECKS else ifeval_checks.check)([name], [given], text)
        for name, given in zip(names, arguments, strict=True)
    ]
    return Following(tuple(one.strict[0] for one in found), tuple(one.loose[0] for one in found))


def _exam(
    name: str, rows: Sequence[Row], known: Mapping[str, object], check: Check, limit: int | None, seed: int
) -> Exam:
    unique(rows, "key", [row.name("key") for row in rows])
    asked = {f"{name}/{row.name('key')}": (row, *_instructions(row, known)) for row in rows}
    decided = {key: given for key, given in asked.items() if None not in check(given[1], given[2], "text").strict}
    order = stream(seed, name).permutation(len(decided))[:limit]
    chosen = [list(decided.items())[i] for i in sorted(int(i) for i in order)]
    instructions = {key: (names, arguments) for key, (_, names, arguments) in chosen}

    def grade(prompt: Prompt, text: str) -> Mapping[str, float]:
        found = check(*instructions[prompt.id], text)
        return {
            f"{level}_{how}": value
            for how, followed in (("strict", found.strict), ("loose", found.loose))
            for level, value in (
                ("prompt", float(all(one is True for one in followed))),
                ("instruction", sum(one is True for one in followed) / len(followed)),
            )
        }

    prompts = (Prompt(key, (Message("user", row.text("prompt")),)) for key, (row, _, _) in chosen)
    return Exam(name, tuple(prompts), grade)


def _instructions(row: Row, known: Mapping[str, object]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    names = row.texts("instruction_id_list")
    for name in names:
        if name not in known:
            row.fail("instruction_id_list", f"there is no instruction {name!r}")
    given = row.rows("kwargs", least=len(names))
    return names, [{key: value for key, value in one.data.items() if value is not None} for one in given]
