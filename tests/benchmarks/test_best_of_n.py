"""Best-of-N data: JETTS, GSM8K candidates and Qwen rm@8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rewardlab.benchmarks.gsm8k import SOLVERS, GSM8KCandidates
from rewardlab.benchmarks.jetts import JETTS, majority_vote, references, response_score
from rewardlab.benchmarks.qwen_rm8 import QwenRM8, maj_at_k, rm_at_k
from rewardlab.errors import BadData
from rewardlab.task import Form, Setting
from rewardlab.verdict import Status, Verdict
from tests.benchmarks.files import jsonl
from tests.benchmarks.judging import always_first, as_released, knows, no_verdict


def jetts_row(n: int, answers: list[str], scores: list[Any]) -> dict[str, Any]:
    return {
        "id": n,
        "query": {"content": f"question {n}", "metadata": {"input_correct_responses": "SECRET"}},
        "responses": [
            {"content": f"so #### {answer}", "metadata": {"score": score, "note": "SECRET"}}
            for answer, score in zip(answers, scores, strict=True)
        ],
    }


@pytest.fixture
def jetts(tmp_path: Path) -> JETTS:
    rows = [
        jetts_row(0, ["1", "2", "2"], [0.0, 1.0, 1.0]),
        jetts_row(1, ["5", "5", "6"], [1.0, 1.0, 0.0]),
        jetts_row(2, ["7", "8"], [None, None]),
    ]
    jsonl(tmp_path / "gsm8k_Some-Model.jsonl", rows)
    return JETTS(str(tmp_path))


def test_the_query_is_its_content_and_its_metadata_stay_out(jetts: JETTS) -> None:
    tasks = jetts.tasks(Setting.RESOURCE)
    assert [t.question[0].content for t in tasks] == ["question 0", "question 1", "question 2"]
    assert {t.form for t in tasks} == {Form.PICK} and "SECRET" not in repr(tasks)
    assert len(jetts.gold()["gsm8k_Some-Model/0"]) == 2


def test_a_selection_stands_beside_its_references(jetts: JETTS) -> None:
    grades = jetts.grade(as_released(jetts, always_first))
    official = grades.official
    assert official["selected"] == official["first"] == 0.5
    assert official["random"] == pytest.approx(2 / 3) and official["oracle"] == official["majority"] == 1
    assert official["gap_closed"] == pytest.approx((0.5 - 2 / 3) / (1 - 2 / 3))
    assert len(grades.items) == 2  # the problem without scores is left out


def test_the_best_and_nothing(jetts: JETTS) -> None:
    known = {task for task, ids in jetts.gold().items() if ids}
    picks = as_released(jetts, lambda t: knows(jetts)(t) if t.id in known else no_verdict(t))
    assert jetts.grade(picks).official["gap_closed"] == 1
    silent = jetts.grade(as_released(jetts, no_verdict))
    assert silent.official["selected"] is None and silent.strict["selected"] == 0


def test_equal_top_scores_count_as_their_mean(jetts: JETTS) -> None:
    level = as_released(jetts, lambda t: Verdict(Status.OK, tie=True))
    assert jetts.grade(level).official["selected"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "response, score",
    [
        ({"metadata": {"score": 0.25}, "pass": True}, 0.25),
        ({"metadata": {}, "pass": True, "score": None}, 1.0),
        ({"score": "0.5"}, 0.5),
        ({"score": "high", "pass": True}, None),
        ({}, None),
    ],
    ids=["metadata", "pass", "text", "no number", "none"],
)
def test_where_a_score_is_found(response: dict[str, Any], score: float | None) -> None:
    assert response_score(response) == score


def test_majority_vote_keeps_its_quirks() -> None:
    vote = majority_vote(["#### 5 apples", "#### 5", "it is 5%", "none"], 0, "x")
    assert (vote.candidate, vote.answer, vote.support, vote.parse_rate) == (1, "5", 2, 0.75)
    assert majority_vote(["none"], 0, "x").candidate is None
    found = references("ifeval", "x", ["a", "b", "c"], [0.1, None, 0.9], 0)
    assert found.oracle == 2 and found.majority.candidate is None and found.random in (0, 1, 2)


def gsm8k_row(n: int, right: int) -> dict[str, Any]:
    solutions = {s: {"is_correct": i == right, "solution": f"A: {i}"} for i, s in enumerate(SOLVERS)}
    return {"question": f"question {n}", "ground_truth": "SECRET", **solutions}


def test_gsm8k_has_four_candidates_and_hides_the_reference(tmp_path: Path) -> None:
    bench = GSM8KCandidates(str(jsonl(tmp_path / "x.jsonl", [gsm8k_row(n, n % 4) for n in range(5)])))
    assert "SECRET" not in repr(bench.tasks(Setting.RESOURCE))
    grades = bench.grade(as_released(bench, always_first))
    assert grades.official["first"] == 0.4 and grades.official["random"] == 0.25
    none_right = jsonl(tmp_path / "z.jsonl", [gsm8k_row(n, 3 + n) for n in range(3)])
    assert [len(GSM8KCandidates(str(none_right), mixed=m).tasks(Setting.STANDARD)) for m in (False, True)] == [3, 1]
    bad = gsm8k_row(0, 0) | {SOLVERS[1]: {"is_correct": 1, "solution": "x"}}
    with pytest.raises(BadData, match=r"row 1, field 6b_verification\.is_correct: a int where true or false"):
        GSM8KCandidates(str(jsonl(tmp_path / "y.jsonl", [bad])))


def qwen_row(n: int, pred: list[str], score: list[bool], pred_score: list[Any]) -> dict[str, Any]:
    texts = [f"solution {n} {i}" for i in range(len(pred))]
    return {
        "idx": n,
        "question": f"question {n}",
        "gt": "SECRET",
        "level": "Level 1",
        "code": texts,
        "pred": pred,
        "score": score,
        "pred_score": pred_score,
    }


QWEN = [
    qwen_row(0, ["1", "2", "2"], [True, False, False], [[3.0], [1.0], [2.0]]),
    qwen_row(1, ["4", "4", "5"], [True, True, False], [[0.0], [1.0], [9.0]]),
]


def test_qwen_hands_out_recorded_scores_apart_from_its_tasks(tmp_path: Path) -> None:
    bench = QwenRM8(str(jsonl(tmp_path / "x.jsonl", QWEN)))
    recorded = bench.recorded_scores()
    assert "SECRET" not in repr(bench.tasks(Setting.RESOURCE))
    grades = bench.grade(as_released(bench, lambda t: Verdict(Status.OK, scores=dict(recorded[t.id]))))
    assert grades.official["selected"] == 0.5 == sum(rm_at_k(row, 3) for row in QWEN) / 2
    assert grades.official["majority"] == 0.5 == sum(maj_at_k(row, 3) for row in QWEN) / 2


def test_qwen_rules_fail_like_upstream() -> None:
    with pytest.raises(KeyError):
        rm_at_k(QWEN[0], 4)
    with pytest.raises(AssertionError):
        rm_at_k({**QWEN[0], "pred_score": [[1.0, 2.0], [3.0], [4.0]]}, 3)
    with pytest.raises(AssertionError):
        maj_at_k(QWEN[0], 4)


@pytest.mark.parametrize(
    "change, problem",
    [
        pytest.param({"pred_score": [[1.0], [2.0]]}, "field pred_score: not a list of 3", id="short"),
        pytest.param({"pred_score": [[1.0], [2.0], [3.0, 4.0]]}, r"field pred_score\[2\]: not a list of one", id="two"),
    ],
)
def test_bad_qwen_rows_stop_with_row_and_field(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadData, match=f"row 1, {problem}"):
        QwenRM8(str(jsonl(tmp_path / "x.jsonl", [{**QWEN[0], **change}])))


@pytest.mark.shared_data
def test_the_known_numbers_of_the_releases(shared_data: Path) -> None:
    qwen = QwenRM8(str(shared_data / "qwen-math-rm8"))
    recorded = qwen.recorded_scores()
    official = qwen.grade(as_released(qwen, lambda t: Verdict(Status.OK, scores=dict(recorded[t.id])))).official
    assert (official["selected"], official["majority"], official["oracle"]) == (0.94, 0.93, 0.96)
    gsm8k = GSM8KCandidates(str(shared_data / "gsm8k"))
    assert gsm8k.identity()["items"] == "1319"
