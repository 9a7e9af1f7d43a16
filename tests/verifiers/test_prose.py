"""The counted units of a text, for English and for scripts that work otherwise."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardlab.verifiers import prose
from rewardlab.verifiers.code import extract_code
from rewardlab.verifiers.math import extract_answer
from rewardlab.verifiers.reference import match_reference
from rewardlab.verifiers.working import working_steps


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("  \n ", 0, id="blank"),
        pytest.param("one two  three", 3, id="spaces"),
        pytest.param("don't re-use it's", 3, id="apostrophe_and_hyphen"),
        pytest.param("it’s", 1, id="curly_apostrophe"),
        pytest.param("3.14 and 1,000.5 at 12:30", 5, id="numbers"),
        pytest.param("the U.S. Army", 3, id="acronym"),
        pytest.param("wait - what — now", 3, id="dashes_are_no_words"),
        pytest.param("我喜欢苹果", 5, id="chinese_characters"),
        pytest.param("我用 Python 3 写代码。", 7, id="mixed"),
        pytest.param("カタカナ", 4, id="katakana"),
        pytest.param("한국어 문장입니다", 2, id="korean_by_spaces"),
        pytest.param("नमस्ते दुनिया", 2, id="devanagari_with_marks"),
        pytest.param("cafe\u0301 au lait", 3, id="combining_mark"),
        pytest.param("привет, мир!", 2, id="cyrillic"),
        pytest.param("snake_case x_1", 2, id="identifiers"),
        pytest.param("שָׁלוֹם עולם", 2, id="hebrew_with_points"),
        pytest.param("كَتَبَ الوَلَدُ", 2, id="arabic_with_vowels"),
        pytest.param("می\u200cخواهم بروم", 2, id="persian_with_a_joiner"),
        pytest.param("co\u00adoperate now", 2, id="soft_hyphen"),
        pytest.param("สวัสดีครับ", 1, id="thai_with_marks"),
    ],
)
def test_words(text: str, count: int) -> None:
    assert len(prose.words(text)) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("One. Two! Three? Four", 4, id="stops"),
        pytest.param("It costs $3.50. Really.", 2, id="decimal"),
        pytest.param("Dr. Lee met Mr. Ray.", 1, id="titles"),
        pytest.param("J. K. Rowling wrote it.", 1, id="initials"),
        pytest.param("The U.S. Army left. It rained.", 2, id="acronym"),
        pytest.param("Fruit, e.g. apples, i.e. food.", 1, id="latin_abbreviations"),
        pytest.param("Apples, pears, etc. They are food.", 2, id="etc_before_a_capital"),
        pytest.param("Apples, pears, etc. are food.", 1, id="etc_before_a_small_letter"),
        pytest.param("See No. 5 below.", 1, id="number_sign"),
        pytest.param("I said no. Then I left.", 2, id="the_word_no"),
        pytest.param("Wait... what?", 1, id="ellipsis_inside"),
        pytest.param("كيف حالك؟ أنا بخير.", 2, id="arabic_question"),
        pytest.param("यह है। वह है।", 2, id="devanagari"),
        pytest.param("یہ ہے۔ وہ ہے۔", 2, id="urdu"),
        pytest.param("Hmm... Yes.", 2, id="ellipsis_at_the_end"),
        pytest.param('"Stop!" he said. He ran.', 2, id="quotation_inside"),
        pytest.param('He said "Stop." Then he ran.', 2, id="quotation_at_the_end"),
        pytest.param("What?! No!!!", 2, id="several_marks"),
        pytest.param("我喜欢苹果。你呢？好！", 3, id="chinese"),
        pytest.param("他说：“好。”走了。", 2, id="chinese_quotation"),
        pytest.param("See example.com for more. Bye.", 2, id="domain"),
        pytest.param("# Title\n\nOne. Two.", 3, id="heading_is_one"),
        pytest.param("- one\n- two\n- three", 3, id="bullets_are_sentences"),
        pytest.param("1. First thing\n2. Second thing", 2, id="numbered_items"),
        pytest.param("A line\nthat wraps. End.", 2, id="wrapped_line"),
        pytest.param("Run this.\n```\na. b. c.\n```\nDone.", 2, id="code_is_skipped"),
        pytest.param("One.\n\n***\n\nTwo.", 2, id="rule"),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(prose.sentences(text)) == count, prose.sentences(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("one", 1, id="one"),
        pytest.param("one\nstill one\n\ntwo", 2, id="blank_line"),
        pytest.param("one\n\n\n \n\ntwo", 2, id="many_blank_lines"),
        pytest.param("one\n***\ntwo\n---\nthree", 3, id="rules"),
        pytest.param("one\n\n```\na\n\nb\n```\n\ntwo", 3, id="code_block_is_one"),
        pytest.param("text:\n```\na\n\nb\n```", 1, id="code_block_joined_to_text"),
    ],
)
def test_paragraphs(text: str, count: int) -> None:
    assert len(prose.paragraphs(text)) == count


MARKDOWN = """# Title

- one
* two
  + nested
1. first
2) second
10、第十
**bold** line
---
#hashtag

```python
# comment
- not a bullet
1. not numbered
```

~~~
unclosed
"""


def test_lists_headings_and_blocks() -> None:
    assert prose.bullets(MARKDOWN) == ["- one", "* two", "  + nested"]
    assert prose.numbered(MARKDOWN) == ["1. first", "2) second", "10、第十"]
    assert prose.headings(MARKDOWN) == ["# Title"]
    assert prose.code_blocks(MARKDOWN) == ["# comment\n- not a bullet\n1. not numbered", "unclosed"]
    assert len(prose.lines(MARKDOWN)) == 17


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        pytest.param("```\na\n```", ["a"], id="one_block_is_one"),
        pytest.param("````\n```\ninner\n```\n````", ["```\ninner\n```"], id="longer_fence_holds_shorter"),
        pytest.param("```\na\n~~~\n```", ["a\n~~~"], id="other_fence_does_not_close"),
        pytest.param("``inline`` and `x`", [], id="inline_code"),
        pytest.param("```a``` inline", [], id="inline_with_three"),
        pytest.param("```\n```", [""], id="empty_block"),
    ],
)
def test_code_blocks(text: str, blocks: list[str]) -> None:
    assert prose.code_blocks(text) == blocks


@given(
    st.lists(st.sampled_from(["apple", "don't", "3.5", "x", "Ünï"]), max_size=30), st.sampled_from([" ", "\n", ", "])
)
def test_words_of_joined_words(parts: list[str], space: str) -> None:
    assert prose.words(space.join(parts)) == parts


@given(st.text(alphabet="中文字苹果的", max_size=30))
def test_a_han_character_is_a_word(text: str) -> None:
    assert len(prose.words(text)) == len(text)


@given(st.lists(st.sampled_from(["It rains.", "Dr. No left!", "Is it 3.5?", "好。"]), min_size=1, max_size=10))
def test_sentences_of_joined_sentences(parts: list[str]) -> None:
    assert prose.sentences(" ".join(parts)) == parts


@given(st.text(max_size=300))
def test_any_text_is_counted_and_nothing_is_counted_twice(text: str) -> None:
    assert sum(map(len, prose.words(text))) <= len(text)
    assert len(prose.sentences(text)) <= len(prose.words(text))
    assert len(prose.paragraphs(text)) <= len(prose.lines(text))
    assert len(prose.code_blocks(text)) + len(prose.bullets(text)) <= len(prose.lines(text))


@pytest.mark.parametrize(
    "piece",
    ["a", "(", "1,", "* ", "\\boxed{", ". ", "1+1=", "```\n", "~", "[", "中", "answer is ", "answer B ", "A", ">"],
)
def test_a_long_candidate_takes_time_in_proportion(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.perf_counter()
    for count in (prose.words, prose.sentences, prose.paragraphs, extract_answer, working_steps, extract_code):
        count(text)
    match_reference(text, "Paris")
    match_reference(text, "B")
    assert time.perf_counter() - start < 5
