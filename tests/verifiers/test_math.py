"""Final answers: extraction by named steps, and equality."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.verdict import Decision
from rewardlab.verifiers.math import Step, check_answer, equal, extract_answer, numbers_of

EXTRACTED = [
    pytest.param("3 + 4 = 7\n#### 7", "7", Step.HASHES, id="hashes"),
    pytest.param("#### 5\nno, wait\n#### 6", "6", Step.HASHES, id="last_hashes_win"),
    pytest.param("So \\boxed{3}.\n#### 4", "4", Step.HASHES, id="hashes_before_box"),
    pytest.param("#### $1,200", "$1,200", Step.HASHES, id="hashes_with_currency"),
    pytest.param("#### Summary of the work\n#### 12", "12", Step.HASHES, id="hashes_after_a_heading"),
    pytest.param("Hence \\boxed{42}.", "42", Step.BOXED, id="box"),
    pytest.param("\\boxed{1} and then \\boxed{2}", "2", Step.BOXED, id="last_box"),
    pytest.param("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}", Step.BOXED, id="box_with_nested_braces"),
    pytest.param("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}", Step.BOXED, id="box_with_escaped_braces"),
    pytest.param("\\boxed 7", "7", Step.BOXED, id="box_without_braces"),
    pytest.param("\\fbox{9}", "9", Step.BOXED, id="fbox"),
    pytest.param("\\boxed{8} but \\boxed{7", "8", Step.BOXED, id="unclosed_box_is_skipped"),
    pytest.param("\\boxed{}, the answer is 3", "3", Step.ANSWER_IS, id="empty_box_is_skipped"),
    pytest.param("$\\boxed{\\text{Tuesday}}$", "Tuesday", Step.BOXED, id="text_in_box"),
    pytest.param("The answer is 18.", "18", Step.ANSWER_IS, id="answer_is"),
    pytest.param("The answer is 3.14.", "3.14", Step.ANSWER_IS, id="decimal_is_no_sentence_end"),
    pytest.param("Final Answer: **42**", "42", Step.ANSWER_IS, id="bold_answer"),
    pytest.param("**Final Answer:** 42", "42", Step.ANSWER_IS, id="bold_label"),
    pytest.param("**Answer**: 42", "42", Step.ANSWER_IS, id="bold_word"),
    pytest.param("The final answer is: $\\frac{3}{4}$. I hope so.", "\\frac{3}{4}", Step.ANSWER_IS, id="latex"),
    pytest.param("The answer is 3. No, the answer is 4.", "4", Step.ANSWER_IS, id="last_answer_is"),
    pytest.param("Steps...\nA: 26", "26", Step.ANSWER_IS, id="a_colon_line"),
    pytest.param("答案是12。", "12", Step.ANSWER_IS, id="chinese"),
    pytest.param("The answer should be -5", "-5", Step.ANSWER_IS, id="negative"),
    pytest.param("Answer = 1/2", "1/2", Step.ANSWER_IS, id="answer_equals"),
    pytest.param("We get 5, then 1,234 apples", "1,234", Step.LAST_NUMBER, id="last_number"),
    pytest.param("It costs $3.50.", "3.50", Step.LAST_NUMBER, id="last_number_before_full_stop"),
    pytest.param("about 20% of them", "20%", Step.LAST_NUMBER, id="last_number_percent"),
    pytest.param("see x2 and y_3, so 9", "9", Step.LAST_NUMBER, id="digits_in_names_are_no_numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "answer", "step"), EXTRACTED)
def test_extract(text: str, answer: str, step: Step) -> None:
    assert extract_answer(text) == (answer, step)


@pytest.mark.parametrize("text", ["", "No idea.", "\\boxed{", "x2", "####", "A man answers."])
def test_extract_nothing(text: str) -> None:
    assert extract_answer(text) is None


MATRIX = "\\begin{{pmatrix}} 1 \\\\ {} \\end{{pmatrix}}"
EQUAL = [
    pytest.param("7", "7", True, id="same"),
    pytest.param("7", "8", False, id="other_number"),
    pytest.param("1000", "$1,000.00", True, id="currency_and_separators"),
    pytest.param("-5", "−5", True, id="unicode_minus"),
    pytest.param("0.5", "1/2", True, id="fraction_and_decimal"),
    pytest.param("\\frac{1}{2}", "0.5", True, id="latex_fraction"),
    pytest.param("-\\dfrac{3}{4}", "-0.75", True, id="negative_latex_fraction"),
    pytest.param("50%", "50", True, id="percent_as_number"),
    pytest.param("0.5", "50%", True, id="percent_as_share"),
    pytest.param("0.5", "50", False, id="share_is_not_percent"),
    pytest.param("18", "18 dollars", True, id="unit"),
    pytest.param("12", "12 square meters", True, id="two_word_unit"),
    pytest.param("5", "5\\text{ cm}^2", True, id="latex_unit"),
    pytest.param("5", "5 or 6", False, id="two_answers_are_not_one"),
    pytest.param("5", "5 million", None, id="multiplier_is_no_unit"),
    pytest.param("3", "3x", False, id="variable_is_no_unit"),
    pytest.param("1/3", "0.333333", True, id="six_decimals"),
    pytest.param("1/3", "0.33", False, id="two_decimals"),
    pytest.param("2\\sqrt{2}", "\\sqrt{8}", True, id="radicals"),
    pytest.param("x^2+2x+1", "(x+1)^2", True, id="expansion"),
    pytest.param("(3,\\frac{\\pi}{2})", "(3, \\pi/2)", True, id="point"),
    pytest.param("\\{1,2\\}", "\\{2,1\\}", True, id="set"),
    pytest.param("x=5", "5", True, id="assignment"),
    pytest.param(MATRIX.format(2), MATRIX.format("\\frac{4}{2}"), True, id="same_matrix"),
    pytest.param(MATRIX.format(2), MATRIX.format(3), False, id="other_matrix"),
    pytest.param("10{,}000", "10000", True, id="latex_separator"),
    pytest.param("Tuesday", "Wednesday", None, id="words_cannot_be_compared"),
    pytest.param("5", "0", False, id="zero"),
    pytest.param("0", "0.0000001", False, id="zero_has_no_relative_tolerance"),
    pytest.param("9999999999999999998", "9999999999999999999", False, id="whole_numbers_have_no_tolerance"),
    pytest.param("1234567890", "1234567990", False, id="a_slip_in_a_large_number"),
    pytest.param("1234567.4", "1234567.40001", True, id="a_large_decimal_has_one"),
    pytest.param("1000", "1e3", True, id="exponent"),
    pytest.param("0.0015", "1.5E-3", True, id="negative_exponent"),
    pytest.param("1e400000000", "7", False, id="exponent_too_large_to_write_out"),
    pytest.param("2.5", "2 1/2", True, id="mixed_number"),
    pytest.param("-2.5", "-2 1/2", True, id="negative_mixed_number"),
    pytest.param("2.5", "2\\frac{1}{2}", True, id="latex_mixed_number"),
    pytest.param("12", "十二", None, id="number_in_other_words"),
    pytest.param("(1, 2)", "(1,2)", True, id="pair"),
    pytest.param("[1, 2]", "[1, 2)", False, id="interval_with_another_end"),
    pytest.param("\\infty", "∞", True, id="unicode_infinity"),
    pytest.param("2\\pi", "2π", True, id="unicode_pi"),
    pytest.param("3 \\times 10^5", "3×10^5", True, id="unicode_times"),
    pytest.param("", "", None, id="nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "found", "same"), EQUAL)
def test_equal(expected: str, found: str, same: bool | None) -> None:
    assert equal(expected, found) is same


@pytest.mark.parametrize(
    ("solution", "reference", "decision"),
    [
        pytest.param("The answer is 8.", "8", Decision.SATISFIED, id="marked_and_right"),
        pytest.param("The answer is 9.", "8", Decision.VIOLATED, id="marked_and_wrong"),
        pytest.param("so 3 + 5 makes 8", "8", Decision.SATISFIED, id="unmarked_and_right"),
        pytest.param("so 3 + 5 makes 8, as in chapter 12", "8", Decision.UNSURE, id="unmarked_and_different"),
        pytest.param("I cannot say.", "8", Decision.UNSURE, id="no_answer"),
        pytest.param("The answer is unknown to me.", "8", Decision.UNSURE, id="incomparable"),
    ],
)
def test_check_answer(solution: str, reference: str, decision: Decision) -> None:
    check = check_answer(solution, reference)
    assert check.decision is decision
    assert check.expected == reference
    assert check.observation.endswith(".")


@given(st.integers(-(10**9), 10**9))
def test_a_whole_number_is_read_however_it_is_written(number: int) -> None:
    for text in (str(number), f"{number:,}", f"{number:.2f}", f"{number} apples", f"${number}"):
        assert numbers_of(text) == (number,)
        assert equal(str(number), text)


@given(st.text(max_size=200))
def test_extraction_takes_any_text(text: str) -> None:
    answer = extract_answer(text)
    assert answer is None or answer.text.strip()


@given(st.decimals(-1000, 1000, places=3), st.decimals(-1000, 1000, places=3))
def test_equality_of_decimals_is_symmetric(a: object, b: object) -> None:
    assert equal(str(a), str(b)) == equal(str(b), str(a))


@pytest.mark.shared_data
def test_gsm8k_solutions_give_their_own_answers(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "gsm8k" / "test.jsonl").read_text().splitlines()]
    wrong = [
        r["answer"] for r in rows if check_answer(r["answer"], re.split("####", r["answer"])[1]).decision != "satisfied"
    ]
    assert len(rows) > 1000
    assert wrong == []


@pytest.mark.shared_data
def test_agreement_with_another_grader(shared_data: Path) -> None:
    text = (shared_data / "qwen-math-rm8" / "math_cot_100.jsonl").read_text()
    seen = [
        (check_answer(response, row["gt"]).decision is Decision.SATISFIED, right)
        for row in map(json.loads, text.splitlines())
        for response, right in zip(row["code"], row["score"], strict=True)
    ]
    # One row differs: the other grader does not read 10{,}000 as 10000.
    assert len(seen) == 800
    assert sum(ours != theirs for ours, theirs in seen) == 1
