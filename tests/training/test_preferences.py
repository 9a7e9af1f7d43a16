from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewardlab.benchmarks.verifiable import examples
from rewardlab.errors import MissingRequirement
from rewardlab.task import Message
from rewardlab.training.preferences import Preferences, columns, finegrained_rlhf, hh_rlhf, verifiable


def jsonl(path: Path, *rows: Any) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def everything(found: Preferences) -> list[Any]:
    return [*found.train, *found.validation]


def test_verifiable_pairs_a_right_with_a_wrong_solution_of_other_questions_than_validation() -> None:
    found = verifiable(per_family=3, validation_per_family=2, seed=0, families=["chain_sum", "word_sorting"])
    assert (len(found.train), len(found.validation)) == (2 * 3 * 3, 2 * 2)
    drafts = {
        e.draft.question: e.draft for s in ("train", "dev") for e in examples(s, 3, 0, ["chain_sum", "word_sorting"])
    }
    for pair in everything(found):
        draft = drafts[pair.question[0].content]
        assert pair.chosen in draft.right[0].texts.values()
        assert any(pair.rejected in wrong.texts.values() for wrong in draft.wrong)
    assert not {p.question for p in found.train} & {p.question for p in found.validation}


def test_a_transcript_is_a_conversation_with_two_answers(tmp_path: Path) -> None:
    before = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nSecond paragraph.\n\nHuman: Human: what?\n\nAssistant:"
    path = jsonl(tmp_path / "pairs.jsonl", {"chosen": f"{before} A person.", "rejected": f"{before} No."})
    (pair,) = everything(hh_rlhf(0, 0.0, path))
    assert pair.question == (
        Message("user", "Hi"),
        Message("assistant", "Hello.\n\nSecond paragraph."),
        Message("user", "Human: what?"),
    )
    assert (pair.chosen, pair.rejected, pair.place) == ("A person.", "No.", f"{path}, row 1")


GOOD = {"chosen": "\n\nHuman: Hi\n\nAssistant: Hello", "rejected": "\n\nHuman: Hi\n\nAssistant: Go away"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param({"chosen": GOOD["chosen"]}, "bad row", id="missing side"),
        pytest.param({**GOOD, "rejected": None}, "bad row", id="null side"),
        pytest.param({**GOOD, "rejected": ""}, "bad row", id="empty text"),
        pytest.param({**GOOD, "rejected": "\n\nHuman: Hi\n\nAssistant:"}, "bad row", id="empty answer"),
        pytest.param({**GOOD, "rejected": "Go away"}, "bad row", id="no transcript"),
        pytest.param({**GOOD, "rejected": "\n\nHuman: Bye\n\nAssistant: Go"}, "bad row", id="another question"),
        pytest.param({**GOOD, "rejected": GOOD["chosen"] + " "}, "identical pair", id="identical pair"),
    ],
)
def test_a_bad_transcript_is_counted_with_its_place(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    path = jsonl(tmp_path / "pairs.jsonl", GOOD, row)
    found = hh_rlhf(0, 0.0, path)
    assert len(found.train) == 1 and dict(found.intake.dropped) == {reason: 1}
    found.intake.kept = 1
    with pytest.raises(Exception, match="row 2"):
        found.intake.check("pairs", 0.1, 0.1)


def finegrained(preference: list[int]) -> dict[str, Any]:
    outputs = {f"prediction {n}": f"answer {n}" for n in range(1, 5)}
    return {"question": "Who?", "passages": [["Title", "One.", "Two."]], "preference": preference, **outputs}


def test_six_comparisons_of_four_outputs(tmp_path: Path) -> None:
    path = tmp_path / "dev_feedback.json"
    path.write_text(json.dumps([finegrained([1, 2, 0, 1, 2, 0])]))
    found = finegrained_rlhf(0, 0.0, str(path))
    sides = [(p.chosen[-1], p.rejected[-1]) for p in found.train]
    assert sides == [("1", "2"), ("3", "1"), ("2", "3"), ("4", "2")]
    assert found.intake.undecided == 2
    assert found.train[0].question[0].content == "Title One. Two.\n\nWho?"
    (shorter, *_) = finegrained_rlhf(0, 0.0, str(path), passages=False).train
    assert shorter.question[0].content == "Who?"


def test_columns_hold_texts_or_conversations(tmp_path: Path) -> None:
    def talk(answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": answer}]

    path = jsonl(tmp_path / "a.jsonl", {"c": talk("Hello"), "r": talk("Bye"), "q": "Hi", "m": 2})
    (whole,) = everything(columns(0, 0.0, "c", "r", path=path))
    (asked,) = everything(columns(0, 0.0, "c", "r", "q", "m", path=path))
    assert whole.question == asked.question == (Message("user", "Hi"),)
    assert (whole.chosen, whole.rejected, whole.margin, asked.margin) == ("Hello", "Bye", 0.0, 2.0)
    path = jsonl(tmp_path / "b.jsonl", {"c": "Hello", "r": "Bye", "q": "Hi"})
    assert everything(columns(0, 0.0, "c", "r", "q", path=path))[0].chosen == "Hello"
    assert columns(0, 0.0, "c", "r", path=path).intake.dropped["bad row"] == 1  # nothing says what was asked


def test_no_question_is_on_both_sides_of_the_division(tmp_path: Path) -> None:
    rows = [{"q": f"question {n // 3}", "c": f"good {n}", "r": f"bad {n}"} for n in range(300)]
    path = jsonl(tmp_path / "pairs.jsonl", *rows)
    found = columns(0, 0.2, "c", "r", "q", path=path)
    assert len(everything(found)) == 300 and 30 <= len(found.validation) <= 90
    assert not {p.question for p in found.train} & {p.question for p in found.validation}


def test_what_is_held_out_does_not_depend_on_seed_limit_or_the_rest_of_the_file(tmp_path: Path) -> None:
    rows = [{"q": f"question {n}", "c": f"good {n}", "r": f"bad {n}"} for n in range(100)]
    whole, half = jsonl(tmp_path / "whole.jsonl", *rows), jsonl(tmp_path / "half.jsonl", *rows[:50])

    def asked(pairs: Any) -> list[str]:
        return [pair.question[0].content for pair in pairs]

    found, other = columns(0, 0.2, "c", "r", "q", path=whole), columns(1, 0.2, "c", "r", "q", path=whole, limit=20)
    assert found.validation == other.validation
    held = asked(columns(0, 0.2, "c", "r", "q", path=half).validation)
    assert held == [q for q in asked(found.validation) if int(q.split()[1]) < 50]
    smaller = columns(0, 0.2, "c", "r", "q", path=whole, limit=10)
    larger = columns(0, 0.2, "c", "r", "q", path=whole, limit=20)
    assert (len(smaller.train), len(larger.train)) == (10, 20) and set(smaller.train) < set(larger.train)
    assert asked(larger.train) != asked(other.train)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MissingRequirement):
        hh_rlhf(0, 0.1, str(tmp_path / "nothing.jsonl"))


@pytest.mark.shared_data
def test_the_real_files_are_read(shared_data: Path) -> None:
    found = hh_rlhf(0, 0.1, str(shared_data / "hh-rlhf"))
    assert len(everything(found)) + found.intake.dropped.total() == 2312
    assert found.intake.dropped.total() < 0.02 * 2312
    found = finegrained_rlhf(0, 0.1, str(shared_data / "finegrained-rlhf"))
    assert len(everything(found)) + found.intake.dropped.total() + found.intake.undecided == 500 * 6
