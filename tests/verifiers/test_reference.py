"""Reference match: choices, names, mathematics, and what stays inconclusive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.verdict import Decision
from rewardlab.verifiers.reference import match_reference, occurs, plain

YES, NO, UNSURE = Decision.SATISFIED, Decision.VIOLATED, Decision.UNSURE

CHOICES = [
    pytest.param("The answer is (B).", "B", YES, id="brackets"),
    pytest.param("The answer is (B).", "C", NO, id="other_letter"),
    pytest.param("The answer is B", "(B)", YES, id="reference_in_brackets"),
    pytest.param("Answer: B", "B", YES, id="label"),
    pytest.param("**Answer: B**", "B", YES, id="bold"),
    pytest.param("\\boxed{B}", "B", YES, id="box"),
    pytest.param("\\boxed{\\text{(B)}}", "B", YES, id="box_with_text"),
    pytest.param("The correct option is C because it floats.", "C", YES, id="because"),
    pytest.param("The correct answer is B) Photosynthesis.", "B", YES, id="letter_with_its_text"),
    pytest.param("I would choose D.", "D", YES, id="choose"),
    pytest.param("Let me think.\n\nB", "B", YES, id="last_line"),
    pytest.param("(A) is false. (B) is true.\n\n**C**", "C", YES, id="bold_last_line"),
    pytest.param("First I thought the answer is A. On reflection, the answer is B.", "B", YES, id="last_statement"),
    pytest.param("答案是B。", "B", YES, id="chinese"),
    pytest.param("答案：(C)", "C", YES, id="chinese_label"),
    pytest.param("The answer is a matter of taste.", "A", UNSURE, id="article_is_no_choice"),
    pytest.param("A good start would be to read (A) and (B).", "A", UNSURE, id="letters_in_passing"),
    pytest.param("The answer is Bob.", "B", UNSURE, id="initial_is_no_choice"),
    pytest.param("The answer is A or B.", "A", UNSURE, id="two_choices"),
    pytest.param("Vitamin B is fine.", "B", UNSURE, id="word_before_letter"),
    pytest.param("", "B", UNSURE, id="empty_text"),
    pytest.param("I do not know.", "I", UNSURE, id="pronoun"),
    pytest.param("My answer is X-ray.", "X", UNSURE, id="hyphenated_word"),
    pytest.param("The answer is D-Day.", "D", UNSURE, id="hyphenated_name"),
    pytest.param("The answer is A cat.", "A", UNSURE, id="capital_article"),
    pytest.param("Answer: B cells", "B", UNSURE, id="letter_of_a_name"),
    pytest.param("The answer is C++.", "C", UNSURE, id="name_with_signs"),
    pytest.param("The answer is B – Paris", "B", YES, id="dash_and_its_text"),
    pytest.param("The correct answer is B-Paris", "B", UNSURE, id="dash_without_space"),
    pytest.param("Option B is not correct.", "B", UNSURE, id="negated_option"),
    pytest.param("Option B is correct. Option C is not.", "B", YES, id="another_one_negated"),
    pytest.param("Option A is wrong, so option B is correct.", "B", YES, id="another_one_wrong"),
    pytest.param("Option A is wrong.", "A", UNSURE, id="called_wrong"),
    pytest.param("Therefore: KKKKK", "K", YES, id="letter_five_times"),
    pytest.param("I first thought BBBBB, but it is **CCCCC**.", "C", YES, id="last_of_two_runs"),
    pytest.param("I first thought BBBBB, but it is **CCCCC**.", "B", NO, id="first_of_two_runs"),
    pytest.param("The answer is (A): DDDDD", "D", YES, id="run_against_words"),
    pytest.param("\\boxed{EEEEE}", "E", YES, id="run_in_a_box"),
    pytest.param("He cried AAAAAH and NOOOOO.", "A", UNSURE, id="run_inside_a_word"),
    pytest.param("XXX and CCCC", "C", UNSURE, id="run_too_short"),
    pytest.param("The answer is “B”.", "B", YES, id="quoted"),
    pytest.param("答案：Ｂ", "B", YES, id="full_width"),
    pytest.param("答案是选项C。", "C", YES, id="chinese_option"),
    pytest.param("故选：D", "D", YES, id="chinese_therefore"),
    pytest.param("不选B", "B", UNSURE, id="chinese_negated"),
]

NAMES = [
    pytest.param("The answer is Paris.", "Paris", YES, id="marked"),
    pytest.param("The answer is the city of Paris, France.", "Paris", YES, id="marked_with_more"),
    pytest.param("The answer is Lyon.", "Paris", NO, id="marked_other"),
    pytest.param("The answer is Parisian culture.", "Paris", NO, id="part_of_a_word"),
    pytest.param("The answer is not Paris.", "Paris", UNSURE, id="negated"),
    pytest.param("The answer is Paris or Lyon.", "Paris", UNSURE, id="alternative"),
    pytest.param("France is lovely. Its capital is Paris.", "Paris", YES, id="last_sentence"),
    pytest.param("Paris is lovely. I prefer the sea.", "Paris", UNSURE, id="in_passing"),
    pytest.param("The capital is not Paris.", "Paris", UNSURE, id="negated_last_sentence"),
    pytest.param("It lies on the Seine.", "Paris", UNSURE, id="nowhere"),
    pytest.param("\\boxed{\\text{Tuesday}}", "tuesday", YES, id="case"),
    pytest.param("Answer: the Beatles", "Beatles", YES, id="article"),
    pytest.param("Answer: Café Müller", "cafe\u0301 mu\u0308ller", YES, id="composed_and_decomposed"),
    pytest.param("The answer is (1,2)", "(1, 2)", YES, id="tuple_without_space"),
    pytest.param("The answer is (1, 3)", "(1, 2)", NO, id="other_tuple"),
    pytest.param("The answer is [1, 2)", "[1, 2]", NO, id="other_end_of_an_interval"),
    pytest.param("Answer: New  York", "New York", YES, id="spaces"),
    pytest.param("答案是北京。", "北京", YES, id="chinese"),
    pytest.param("首都是北京市。", "北京", YES, id="chinese_within_a_run"),
    pytest.param("Answer: C++", "C++", YES, id="signs"),
    pytest.param("Answer: C", "C++", NO, id="signs_count"),
    pytest.param("Answer: yes", "Yes", YES, id="yes"),
    pytest.param("x", "", UNSURE, id="empty_reference"),
    pytest.param("x", "a long reference text that says much more than one answer", UNSURE, id="long_reference"),
]

MATHEMATICS = [
    pytest.param("The answer is $1,000.", "1000", YES, id="number"),
    pytest.param("The answer is 1001.", "1000", NO, id="other_number"),
    pytest.param("We count 1000 in the end", "1000", YES, id="unmarked_right"),
    pytest.param("We count 1000 of 2000", "1000", UNSURE, id="unmarked_other"),
    pytest.param("\\boxed{\\frac12}", "\\frac{1}{2}", YES, id="expression"),
    pytest.param("\\boxed{(x+1)^2}", "x^2+2x+1", YES, id="symbolic"),
    pytest.param("\\boxed{x^2}", "x^3", NO, id="symbolic_other"),
    pytest.param("Answer: 15 apples", "15", YES, id="unit"),
    pytest.param("Answer: 150", "15", NO, id="prefix_is_no_match"),
]


@pytest.mark.parametrize(("text", "reference", "decision"), [*CHOICES, *NAMES, *MATHEMATICS])
def test_match(text: str, reference: str, decision: Decision) -> None:
    check = match_reference(text, reference)
    assert check.decision is decision, check.observation


@given(st.text(max_size=200), st.text(max_size=30))
def test_takes_any_text(text: str, reference: str) -> None:
    assert match_reference(text, reference).observation


@given(st.sampled_from("BCDEFGH"), st.sampled_from("BCDEFGH"))
def test_marked_choice_is_settled(chosen: str, reference: str) -> None:
    for form in ("The answer is ({}).", "Answer: {}", "\\boxed{{{}}}", "so **{}**", "The correct option is {}.\n"):
        text = form.format(chosen)
        if form != "so **{}**":
            assert match_reference(text, reference).decision is (YES if chosen == reference else NO)


def test_plain_and_occurs() -> None:
    assert plain("The U.S. Army, 3.5%!") == "u s army 3.5 %"
    assert occurs("new york", "in new york city")
    assert not occurs("york", "yorkshire")
    assert not occurs("", "text")
