"""Constraints as data: every kind decides, describes, and refuses arguments that do not fit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.errors import UnknownName
from rewardlab.verdict import Decision
from rewardlab.verifiers.constraints import KINDS, BadConstraint, check, describe, occurrences

SCHEMA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}

# kind, arguments, a text that does it, a text that does not
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("length_constraints:number_words", {"min": 2, "max": 3}, "one two", "one"),
    ("length_constraints:number_words", {"max": 4}, "我喜欢你", "我喜欢苹果"),
    ("length_constraints:number_sentences", {"min": 2, "max": 2}, "Dr. Lee paid $3.50. Why?", "Dr. Lee paid $3.50."),
    ("length_constraints:number_paragraphs", {"min": 2}, "a\n\nb", "a\nb"),
    ("length_constraints:number_lines", {"max": 2}, "a\n\nb", "a\nb\nc"),
    ("length_constraints:number_characters", {"min": 3}, "abc", " a "),
    ("keywords:existence", {"words": ["Cat", "new york"]}, "A cat in New\nYork", "A category in New York"),
    ("keywords:existence", {"words": ["苹果"]}, "我吃苹果", "我吃梨"),
    ("keywords:existence", {"words": ["사과"]}, "나는 사과를 먹는다", "나는 배를 먹는다"),
    ("keywords:forbidden_words", {"words": ["art"]}, "a party", "Art!"),
    ("keywords:frequency", {"word": "go", "min": 2}, "Go, go, gone", "go going"),
    ("keywords:frequency", {"word": "C++", "max": 1}, "C++ and C", "C++, C++"),
    ("keywords:letter_frequency", {"letter": "e", "min": 2, "max": 2}, "Eve", "even better"),
    ("language:response_language", {"language": "en"}, "It is in the house.", "Das ist nicht der Fall und auch gut."),
    ("language:script_share", {"script": "HAN", "share": 0.5}, "中文 ab", "中 abcd"),
    ("detectable_content:number_placeholders", {"min": 1}, "Dear [name],", "A [link](x) and - [ ] and [x]"),
    ("detectable_format:number_bullet_lists", {"min": 2, "max": 2}, "- a\n* b\n1. c", "- a\n1. b\n2. c"),
    ("detectable_format:number_numbered_items", {"min": 2, "max": 2}, "1. a\n2. b\n- c", "1. a\n- b"),
    ("detectable_format:number_headings", {"max": 0}, "#tag\n```\n# x\n```", "## Title"),
    ("detectable_format:number_code_blocks", {"min": 1, "max": 1}, "```\nx\n```", "`x`"),
    ("detectable_format:number_highlighted_sections", {"min": 2}, "*one* and **two**", "* item one\n* item two"),
    ("detectable_format:json_format", {}, '{"a": [1, null]}', "{'a': 1}"),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', 'Here: {"a": 1}'),
    ("detectable_format:json_format", {}, "[]", "[NaN]"),
    ("detectable_format:json_format", {"schema": SCHEMA}, '{"name": "x"}', '{"name": 3}'),
    ("detectable_format:title", {}, "<<A title>>\ntext", "<< >> text"),
    ("startend:start_checker", {"phrase": "Once upon"}, " once upon a time", "It was once upon"),
    ("startend:end_checker", {"phrase": "The end."}, "So. THE END.\n", "The end. Or not"),
    ("startend:quotation", {}, ' "All of it" ', '"Half" of it'),
    ("startend:quotation", {}, "“All of it”", '"'),
    ("change_case:english_capital", {}, "HELLO, É 3!", "HELLo"),
    ("change_case:english_lowercase", {}, "hello 3", "hellO"),
    ("change_case:capital_word_frequency", {"min": 2}, "NASA and ESA", "I AM not"),
    ("punctuation:no_comma", {}, "One; two", "一，二"),
    ("punctuation:no_comma", {}, "一。二", "一､二"),
    # The same text in another Unicode form, case or apostrophe is the same text.
    ("length_constraints:number_characters", {"max": 4}, "cafe\u0301", "cafés"),
    ("length_constraints:number_characters", {"min": 2, "max": 2}, "你好", "你好。"),
    ("length_constraints:number_words", {"max": 1}, "שָׁלוֹם", "שָׁלוֹם עולם"),
    ("keywords:existence", {"words": ["naïve"]}, "a nai\u0308ve idea", "a naive idea"),
    ("keywords:existence", {"words": ["nai\u0308ve"]}, "a naïve idea", "a naive idea"),
    ("keywords:existence", {"words": ["straße"]}, "HAUPT STRASSE", "HAUPTSTRASSE"),
    ("keywords:existence", {"words": ["don't"]}, "I don’t know", "I do not know"),
    ("keywords:letter_frequency", {"letter": "é", "min": 3}, "éÉe\u0301", "eeeé"),
    ("startend:start_checker", {"phrase": "Café"}, "Cafe\u0301 au lait", "Cafés are open"),
    ("startend:start_checker", {"phrase": "It's"}, "it’s late", "Its time"),
    ("startend:start_checker", {"phrase": "你好"}, "你好吗", "您好"),
    ("startend:start_checker", {"phrase": "C++"}, "C++20 is out", "C+ is a grade"),
    ("startend:end_checker", {"phrase": "end."}, "This is the end.", "Have a nice weekend."),
    ("startend:end_checker", {"phrase": "再见"}, "明天再见", "再见了"),
    ("startend:quotation", {}, "『全部』", "『一』二"),
    ("detectable_format:number_numbered_items", {"min": 2}, "（1）甲\n（2）乙", "一、甲\n二、乙"),
    ("detectable_format:number_numbered_items", {"max": 1}, "1．甲", "1．甲\n2．乙"),
    ("detectable_format:number_code_blocks", {"min": 1, "max": 1}, "````\n```\nx\n````", "```\na\n```\n~~~\nb\n~~~"),
    ("detectable_format:number_code_blocks", {"min": 1, "max": 1}, "> ```\n> x\n> ```", "> `x`"),
    ("detectable_format:number_code_blocks", {"max": 0}, "``` inline ```", "~~~\nx"),
    ("language:response_language", {"language": "zh"}, "请用 Python 写代码，谢谢大家。", "これは日本語の文です。"),
    ("detectable_format:json_format", {"schema": {"type": "array", "minItems": 1}}, '["你"]', "[]"),
    ("detectable_format:json_format", {"schema": {"enum": ["é"]}}, '"\\u00e9"', '"e"'),
    ("detectable_format:json_format", {}, '{"a": "\\ud83d\\ude00"}', '{"a": 1,}'),
    ("detectable_format:json_format", {}, "~~~json\n[1]\n~~~", "```json\n[1]\n```\n```json\n[2]\n```"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "good", "bad"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_decides(kind: str, arguments: dict[str, Any], good: str, bad: str) -> None:
    constraint = {"kind": kind, **arguments}
    assert check(constraint, good).decision is Decision.SATISFIED, check(constraint, good)
    assert check(constraint, bad).decision is Decision.VIOLATED, check(constraint, bad)


@pytest.mark.parametrize(("kind", "arguments", "good", "bad"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_describes_in_a_sentence_with_its_arguments(kind: str, arguments: dict[str, Any], good: str, bad: str) -> None:
    sentence = describe({"kind": kind, **arguments})
    assert sentence[0].isupper()
    assert sentence.endswith((".", "}", '"."'))
    for value in arguments.values():
        shown = [value] if isinstance(value, int | str) else value if isinstance(value, list) else []
        for part in shown:
            readable = {"en": "English", "zh": "Chinese", "HAN": "Han", 0: "no "}.get(part, str(part))
            assert readable in sentence


def test_every_kind_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(KINDS)


@pytest.mark.parametrize(
    ("constraint", "sentence"),
    [
        ({"min": 3}, "Write at least 3 words."),
        ({"min": 1}, "Write at least 1 word."),
        ({"max": 1}, "Write at most 1 word."),
        ({"max": 0}, "Write no words."),
        ({"min": 2, "max": 2}, "Write exactly 2 words."),
        ({"min": 2, "max": 5}, "Write between 2 and 5 words."),
    ],
)
def test_ranges_read_as_english(constraint: dict[str, int], sentence: str) -> None:
    assert describe({"kind": "length_constraints:number_words", **constraint}) == sentence


@pytest.mark.parametrize(
    ("constraint", "error", "said"),
    [
        pytest.param({"kind": "length_constraints:number_word", "min": 1}, UnknownName, "number_words", id="kind"),
        pytest.param({}, UnknownName, "Known", id="no_kind"),
        pytest.param({"kind": "keywords:existence"}, BadConstraint, "lacks words", id="missing"),
        pytest.param({"kind": "punctuation:no_comma", "min": 1}, BadConstraint, "no argument min", id="unknown"),
        pytest.param({"kind": "length_constraints:number_words"}, BadConstraint, "min <= max", id="no_bound"),
        pytest.param({"kind": "length_constraints:number_words", "min": 5, "max": 2}, BadConstraint, "min", id="order"),
        pytest.param({"kind": "length_constraints:number_words", "min": "5"}, BadConstraint, "whole", id="text"),
        pytest.param({"kind": "length_constraints:number_words", "max": -1}, BadConstraint, "whole", id="negative"),
        pytest.param({"kind": "language:response_language", "language": "xx"}, UnknownName, "language", id="language"),
        pytest.param(
            {"kind": "detectable_format:json_format", "schema": {"type": 3}}, BadConstraint, "schema", id="schema"
        ),
        pytest.param(
            {"kind": "detectable_format:json_format", "schema": {"$ref": "http://127.0.0.1:1/s.json"}},
            BadConstraint, "schema", id="schema_elsewhere",
        ),
    ],
)  # fmt: skip
def test_unfit_constraints_are_the_users_to_mend(constraint: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        check(constraint, "{}")


def test_language_that_cannot_be_told_is_unsure() -> None:
    assert check({"kind": "language:response_language", "language": "en"}, "Ok.").decision is Decision.UNSURE


def test_schema_error_names_the_place() -> None:
    seen = check({"kind": "detectable_format:json_format", "schema": SCHEMA}, '{"name": 3}').observation
    assert "$.name" in seen


def test_observation_and_expectation_are_readable() -> None:
    seen = check({"kind": "length_constraints:number_words", "min": 2, "max": 3}, "one")
    assert (seen.observation, seen.expected, seen.found) == ("The text has 1 word.", "between 2 and 3 words", "1")


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_a_range_holds_exactly_within_its_bounds(count: int, a: int, b: int) -> None:
    least, most = sorted((a, b))
    seen = check({"kind": "length_constraints:number_words", "min": least, "max": most}, "word " * count)
    assert (seen.decision is Decision.SATISFIED) == (least <= count <= most)


@given(st.sampled_from([{"kind": c[0], **c[1]} for c in CASES]), st.text(max_size=200))
def test_every_kind_takes_any_text(constraint: dict[str, Any], text: str) -> None:
    assert check(constraint, text).observation


@given(st.lists(st.sampled_from(["cat", "Cat", "category", "scat", "dog"]), max_size=20))
def test_occurrences_counts_whole_words(parts: list[str]) -> None:
    assert occurrences("cat", ", ".join(parts)) == sum(part.lower() == "cat" for part in parts)
