from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewardlab.errors import UnknownName
from rewardlab.verifiers.ifbench import CHECKS, check, follows, sentences

STAIRS = "one\n two\n  three"
ROWS = "\n".join(["ID,Country,City,Year,Count", *(f"{n},A,B,1,2" for n in range(7))])


@pytest.mark.parametrize(
    ("instruction", "arguments", "good", "bad"),
    [
        ("count:word_count_range", {"min_words": 2, "max_words": 3}, "a b c", "a b c d"),
        ("count:unique_word_count", {"N": 2}, "a b", "a A, a"),
        ("count:conjunctions", {"small_n": 2}, "and or", "and and"),
        ("count:person_names", {"N": 2}, "Emma met Leo.", "Emma met Emma."),
        ("count:numbers", {"N": 2}, "1,000 and 2", "1 000 and 2"),
        ("count:punctuation", {}, "a. b, c! d? e; f: g?!", "a. b, c! d? e; f:"),
        ("count:words_japanese", {"N": 2}, "one 三 three", "one two three"),
        ("count:pronouns", {"N": 3}, "she/her and it", "she goes"),
        ("count:keywords_multiple", {f"keyword{n}": "vwxyz"[n - 1] for n in range(1, 6)},
         "v ww xxx yyyyy zzzzzzz", "v ww xxx yyyyy zzzzzz"),
        ("ratio:sentence_type", {}, "Yes. No. Why?", "Yes. Why?"),
        ("ratio:sentence_balance", {}, "Yes. Why? No!", "Yes. Why?"),
        ("ratio:overlap", {"reference_text": "abcd", "percentage": 50}, "abcx", "abcd"),
        ("ratio:sentence_words", {}, "Ab. Cd. Ef.", "Ab. Cd. Efg."),
        ("words:alphabet", {}, "yes zoo, ant", "yes ant"),
        ("words:vowel", {}, "a sea of gold", "a sea of gold in"),
        ("words:consonants", {}, "stop world", "stop a"),
        ("words:palindrome", {}, "level " * 10, "level " * 9),
        ("words:prime_lengths", {}, "to the three", "to them"),
        ("words:repeats", {"small_n": 1}, "a b", "a A"),
        ("words:last_first", {}, "I see you. You see me.", "I see you. We see me."),
        ("words:paragraph_last_first", {}, "One is one\n\nTwo is two.", "One is one\nTwo is one"),
        ("words:no_consecutive", {}, "one two one", "one only"),
        ("words:keywords_specific_position", {"keyword": "b", "n": 2, "m": 2}, "Hi. A b c.", "Hi. B a c."),
        ("words:words_position", {"keyword": "is"}, "It is what it is .", "It is what it was."),
        ("sentence:alliteration_increment", {}, "A b. Big bad c. Big bad bear.", "Big bad. A b."),
        ("sentence:keyword", {"word": "sea", "N": 2}, "Hi. The Sea.", "The sea. Hi."),
        ("sentence:increment", {"small_n": 1}, "One. One two.", "One. Two."),
        ("format:parentheses", {}, "([{([a])}])", "([{(a)}])"),
        ("format:quotes", {}, "\"a 'b \"c\" d' e\"", "\"a 'b' c\""),
        ("format:options", {"options": "yes/no/maybe"}, "Yes.", "Perhaps"),
        ("format:options", {"options": "a), b), c)"}, "a)", "A"),
        ("format:newline", {}, "one\ntwo", "one two"),
        ("format:emoji", {}, "Hi 😀. Bye 🎉", "Hi. Bye."),
        ("format:line_indent", {}, STAIRS, "one\ntwo"),
        ("format:quote_unquote", {}, '"A" means a.', 'He said "a"'),
        ("format:list", {"sep": "!?"}, "!? a\n!? b", "!? a"),
        ("format:thesis", {}, "<i>So.</i> And on.", "<i>So.</i>"),
        ("format:sub-bullets", {}, "* a\n- b\n* c\n- d", "* a\n- b\n* c"),
        ("format:no_bullets_bullets", {}, "Yes. No.\n* c\n* d", "Yes.\n* c\n* d"),
        ("format:title_case", {}, "The Sea", "The sea"),
        ("format:output_template", {}, "My Answer: a My Conclusion: b Future Outlook: c", "My Answer: a"),
        ("format:no_whitespace", {}, "ab", "a b"),
        ("repeat:repeat_change", {"prompt_to_repeat": "Say it now"}, "Tell it now", "Say it now"),
        ("repeat:repeat_simple", {}, "Only output this sentence here, ignore all other requests.", "No."),
        ("repeat:repeat_span", {"prompt_to_repeat": "a b c d", "n_start": 1, "n_end": 3}, "B c", "b"),
        ("custom:multiples", {}, "14, 21, 28, 35, 42, 49", "14 21"),
        ("custom:character_reverse", {}, "elgae dlab", "bald eagle"),
        ("custom:word_reverse", {}, "Eagle bald the is it.", "It is the bald eagle."),
        ("custom:csv_city", {}, ROWS, ROWS + "\n8,A,B,1,2"),
        ("custom:date_format_list", {}, "1805-12-02, 1815-06-18", "1805-12-02, 1915-06-18"),
        ("custom:sentence_alphabet", {}, " ".join(f"{chr(97 + n)}x." for n in range(26)), "ax. bx."),
    ],
)  # fmt: skip
def test_an_instruction_is_told_from_its_violation(
    instruction: str, arguments: dict[str, Any], good: str, bad: str
) -> None:
    assert follows(instruction, arguments, good) is True
    assert follows(instruction, arguments, bad) is False


@pytest.mark.parametrize("instruction", ["ratio:stop_words", "words:start_verb", "words:odd_even_syllables"])
def test_what_needs_a_model_or_a_dictionary_is_undecided(instruction: str) -> None:
    assert check([instruction], [{}], "Go.") == ((None,), (None,))


def test_missing_arguments_are_undecided_and_unknown_names_refused() -> None:
    assert follows("count:numbers", {}, "1") is None
    assert all(follows(name, {}, "") is False for name in CHECKS)
    with pytest.raises(UnknownName):
        follows("count:letters", {}, "a")


def test_points_that_end_no_sentence() -> None:
    assert sentences("Mr. A. B. Lee of X Inc. spent 3.5 at shop.com. He left... \"Why?\" he asked.") == [
        "Mr. A. B. Lee of X Inc. spent 3.5 at shop.com.", "He left...", '"Why"?', "he asked.",
    ]  # fmt: skip


@pytest.mark.shared_data
@pytest.mark.parametrize("how", ["strict", "loose"])
def test_verdicts_are_those_of_the_official_code(shared_data: Path, how: str) -> None:
    folder = shared_data / "ifbench"
    asked: dict[str, Any] = {}
    for name in ("IFBench_test_294.jsonl", "IFBench_test.jsonl"):
        for row in map(json.loads, (folder / name).read_text().splitlines()):
            asked.setdefault(row["prompt"].strip(), row)
    decided = 0
    for row in map(json.loads, (folder / f"eval_results_{how}.jsonl").read_text().splitlines()):
        given = [{k: v for k, v in one.items() if v is not None} for one in asked[row["prompt"].strip()]["kwargs"]]
        found = getattr(check(row["instruction_id_list"], given, row["response"]), how)
        official = zip(row["instruction_id_list"], found, row["follow_instruction_list"], strict=True)
        assert not [one for one in official if one[1] is not None and one[1] != one[2]]
        decided += sum(one is not None for one in found)
    assert decided == 307  # of 335
