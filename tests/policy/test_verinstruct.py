from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rewardlab.errors import BadData
from rewardlab.judges.verify import Verifiers
from rewardlab.policy.methods.rules import Rules
from rewardlab.policy.reward import Rollout, check_needs
from rewardlab.policy.verinstruct import prompt_of_row, training_row, verinstruct, write_parquet
from rewardlab.sandbox.bubblewrap import Bubblewrap
from rewardlab.task import ResourceKind

SHORT = "def check_following(instruction, response):\n    return len(response.split()) <= 3"
ASKS = "def check_following(instruction, response):\n    return instruction.split()[0] in response"
ROWS = [
    {
        "id": n,
        "prompt": f"Greet{n} somebody.",
        "checkers": ["[rule] At most three words.", "[llm] Is it kind?", "[rule] Repeats the first word."],
        "functions": [SHORT, "", ASKS],
    }
    for n in range(10)
]
BUBBLEWRAP = Bubblewrap()


def write(folder: Path, rows: list[dict[str, Any]]) -> str:
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder)


def test_rules_are_bound_to_their_functions_and_the_rest_is_prose(tmp_path: Path) -> None:
    tasks = verinstruct(write(tmp_path, ROWS), validation=0.2)
    assert len(tasks.train) == 8 and len({prompt.id for prompt in tasks.train}) == 8
    assert tasks == verinstruct(write(tmp_path, ROWS), validation=0.2)
    (checklist,) = tasks.train[0].of_kind(ResourceKind.CHECKLIST)
    entries = json.loads(checklist.content)
    assert [e if isinstance(e, str) else e["criterion"] for e in entries] == [
        "At most three words.", "Is it kind?", "Repeats the first word.",
    ]  # fmt: skip
    assert [isinstance(e, str) for e in entries] == [False, True, False] and entries[0]["source"] == SHORT


@pytest.mark.skipif(bool(BUBBLEWRAP.available()), reason="bubblewrap is not installed")
def test_the_functions_are_run(tmp_path: Path) -> None:
    (prompt, *_) = verinstruct(write(tmp_path, ROWS)).train
    word = prompt.messages[0].content.split()[0]
    rules = Rules(Verifiers(BUBBLEWRAP), ["functions"])
    check_needs(rules, [prompt])
    answers = [f"{word} you", "so", f"{word} a b c d", "a b c d e"]
    rewards = asyncio.run(rules.score_group(prompt, [Rollout(answer) for answer in answers]))
    assert [reward.value for reward in rewards] == [1.0, 0.5, 0.5, 0.0]
    assert all(reward.executions == 2 for reward in rewards)


def test_a_row_for_verl_gives_the_same_prompt_back(tmp_path: Path) -> None:
    import datasets

    tasks = verinstruct(write(tmp_path, ROWS))
    write_parquet(tasks.train, tmp_path / "out" / "train.parquet", "train")
    rows = datasets.Dataset.from_parquet(str(tmp_path / "out" / "train.parquet"))
    assert [prompt_of_row(row["extra_info"]) for row in rows] == list(tasks.train)
    for prompt in tasks.train:
        assert "check_following" not in json.dumps(training_row(prompt, "train")["prompt"])


def test_rows_of_the_released_converter_are_read_too() -> None:
    info = {
        "sample_id": "s1",
        "query": "Again?",
        "system_prompt": "Be brief.",
        "history": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}],
        "checkers": ROWS[0]["checkers"],
        "functions": ROWS[0]["functions"],
    }
    prompt = prompt_of_row(info)
    assert [m.role for m in prompt.messages] == ["system", "user", "assistant", "user"]
    assert len(json.loads(prompt.resources[0].content)) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"functions": [SHORT]}, "row 1, field checkers"),
        ({"checkers": ["At most three words."] * 3}, "tagged neither"),
        ({"prompt": ""}, "field prompt"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadData, match=message):
        verinstruct(write(tmp_path, [ROWS[0] | change]), validation=0.0)
