"""The 25 instructions of IFEval (Zhou et al., arXiv 2311.07911), checked as its official code checks them.

A response follows an instruction strictly when the check holds for it as it is, and loosely when it holds for any of
eight variants: without asterisks, without the first, the last or both of these lines. Quirks stay: an answer to
repeat is compared without case, a keyword is a regular expression, an empty response follows nothing.

Source: google-research's instruction_following_eval as SalesforceAIResearch/jetts-benchmark@f7bc7d3fb3ac carries it.
Three things differ. Where it replaces a missing or odd argument by a random one, the check is undecided (None).
langdetect, which it leaves unseeded, has a fixed seed. And sentences come from `punkt`, which has no trained model.
"""

from __future__ import annotations

import importlib
import json
import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rewardlab.errors import MissingRequirement, UnknownName
from rewardlab.verifiers.punkt import sentences

Followed = bool | None

_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


class Following(NamedTuple):
    """Whether each instruction is followed, strictly and loosely; None where the official result is a random draw."""

    strict: tuple[Followed, ...]
    loose: tuple[Followed, ...]


def check(instructions: Sequence[str], arguments: Sequence[Mapping[str, Any]], response: str) -> Following:
    """Check a response.

    Args:
        instructions: Ids, such as "keywords:existence".
        arguments: Keyword arguments of each, nulls left out.
        response: The response.

    Raises:
        UnknownName: When there is no such instruction.

    >>> check(["punctuation:no_comma"], [{}], "Sure, yes:\\nNo commas here.")
    Following(strict=(False,), loose=(True,))
    """
    pairs = list(zip(instructions, arguments, strict=True))
    strict = tuple(follows(name, given, response) for name, given in pairs)
    loose = tuple(any_variant(follows(name, given, variant) for variant in variants(response)) for name, given in pairs)
    return Following(strict, loose)


def variants(response: str) -> list[str]:
    """The eight variants of a response that the loose rule tries.

    >>> variants("a\\nb\\nc")[:4]
    ['a\\nb\\nc', 'b\\nc', 'a\\nb', 'b']
    """
    lines = response.split("\n")
    cut = [response, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return [*cut, *(text.replace("*", "") for text in cut)]


def follows(instruction: str, arguments: Mapping[str, Any], text: str) -> Followed:
    """Whether a text follows one instruction; a blank one follows none."""
    if instruction not in CHECKS:
        raise UnknownName("IFEval instruction", instruction, CHECKS)
    return CHECKS[instruction](text, **arguments) if text.strip() else False


def any_variant(results: Iterable[Followed]) -> Followed:
    """Whether any of several variants follows; None where that hangs on one that is undecided."""
    found = list(results)
    return True if True in found else None if None in found else False


def _related(count: int, relation: str | None, threshold: int | None) -> Followed:
    if relation is None or threshold is None or threshold < 0:
        return None
    return count < threshold if relation == "less than" else count >= threshold


def _count_at_least(pattern: str, text: str, least: int | None) -> Followed:
    return None if least is None or least < 0 else len(re.findall(pattern, text)) >= least


def _keywords(text: str, keywords: Sequence[str] = ()) -> Followed:
    return all(re.search(keyword, text, re.IGNORECASE) for keyword in keywords) if keywords else None


def _frequency(
    text: str, keyword: str | None = None, frequency: int | None = None, relation: str | None = None
) -> Followed:
    return _related(len(re.findall(keyword.strip(), text, re.IGNORECASE)), relation, frequency) if keyword else None


def _forbidden(text: str, forbidden_words: Sequence[str] = ()) -> Followed:
    found = any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in forbidden_words)
    return not found if forbidden_words else None


def _letter(
    text: str, letter: str | None = None, let_frequency: int | None = None, let_relation: str | None = None
) -> Followed:
    if not letter or len(letter) > 1 or letter.lower() not in string.ascii_lowercase:
        return None
    return _related(text.lower().count(letter.lower()), let_relation, let_frequency)


def _language(text: str, language: str | None = None) -> Followed:
    return None if language is None else detected(text) in (None, language)


def _sentences(text: str, num_sentences: int | None = None, relation: str | None = None) -> Followed:
    return _related(len(sentences(text)), relation, num_sentences)


def _words(text: str, num_words: int | None = None, relation: str | None = None) -> Followed:
    return _related(len(re.findall(r"\w+", text)), relation, num_words)


def _paragraphs(text: str, num_paragraphs: int | None = None) -> Followed:
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", text)]
    if "" in parts[1:-1]:
        return False
    edges = parts[:1] + parts[1:][-1:]
    return None if num_paragraphs is None else len(parts) - edges.count("") == num_paragraphs


def _first_word(
    text: str, num_paragraphs: int | None = None, nth_paragraph: int | None = None, first_word: str | None = None
) -> Followed:
    if num_paragraphs is None or nth_paragraph is None or first_word is None:
        return None
    if not 0 < nth_paragraph <= num_paragraphs:
        return None
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    if nth_paragraph > count or not parts[nth_paragraph - 1].strip():
        return False
    word = parts[nth_paragraph - 1].split()[0].lstrip("'").lstrip('"')
    return count == num_paragraphs and re.split(r"[.,?!'\"]", word)[0].lower() == first_word.lower()


def _placeholders(text: str, num_placeholders: int | None = None) -> Followed:
    return _count_at_least(r"\[.*?\]", text, num_placeholders)


def _postscript(text: str, postscript_marker: str | None = None) -> Followed:
    if postscript_marker is None:
        return None
    known = {"P.P.S": r"\s*p\.\s?p\.\s?s.*$", "P.S.": r"\s*p\.\s?s\..*$"}
    pattern = known.get(postscript_marker.strip(), rf"\s*{postscript_marker.strip().lower()}.*$")
    return re.search(pattern, text.lower(), re.MULTILINE) is not None


def _bullets(text: str, num_bullets: int | None = None) -> Followed:
    count = len(re.findall(r"^\s*\*[^\*].*$", text, re.MULTILINE)) + len(re.findall(r"^\s*-.*$", text, re.MULTILINE))
    return None if num_bullets is None else count == num_bullets


def _constrained(text: str) -> Followed:
    return any(answer in text for answer in _ANSWERS)


def _highlights(text: str, num_highlights: int | None = None) -> Followed:
    single = [found.strip("*") for found in re.findall(r"\*[^\n\*]*\*", text)]
    double = [found.removeprefix("**").removesuffix("**") for found in re.findall(r"\*\*[^\n\*]*\*\*", text)]
    count = sum(bool(found.strip()) for found in single + double)
    return None if num_highlights is None else count >= num_highlights


def _sections(text: str, section_spliter: str | None = None, num_sections: int | None = None) -> Followed:
    if section_spliter is None:
        return None
    return _count_at_least(rf"\s?{section_spliter.strip()}\s?\d+\s?", text, num_sections)


def _json(text: str) -> Followed:
    inner = text.strip()
    for opening in ("```json", "```Json", "```JSON", "```"):
        inner = inner.removeprefix(opening)
    try:
        json.loads(inner.removesuffix("```").strip())
    except ValueError:
        return False
    return True


def _title(text: str) -> Followed:
    return any(title.lstrip("<").rstrip(">").strip() for title in re.findall(r"<<[^\n]+>>", text))


def _two_responses(text: str) -> Followed:
    parts = [part.strip() for part in text.split("******")]
    given = [part for part in parts if part]
    return "" not in parts[1:-1] and len(given) == 2 and given[0] != given[1]


def _repeat(text: str, prompt_to_repeat: str = "") -> Followed:
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def _end(text: str, end_phrase: str | None = None) -> Followed:
    return None if end_phrase is None else text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def _capital_words(text: str, capital_frequency: int | None = None, capital_relation: str | None = None) -> Followed:
    return _related(sum(token.isupper() for token in tokens(text)), capital_relation, capital_frequency)


def _upper(text: str) -> Followed:
    return text.isupper() and detected(text) in (None, "en")


def _lower(text: str) -> Followed:
    return text.islower() and detected(text) in (None, "en")


def _no_comma(text: str) -> Followed:
    return "," not in text


def _quoted(text: str) -> Followed:
    return len(text.strip()) > 1 and text.strip()[0] == text.strip()[-1] == '"'


CHECKS: dict[str, Callable[..., Followed]] = {
    "keywords:existence": _keywords,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden,
    "keywords:letter_frequency": _letter,
    "language:response_language": _language,
    "length_constraints:number_sentences": _sentences,
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": _words,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_content:number_placeholders": _placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": _constrained,
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": _title,
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": _repeat,
    "startend:end_checker": _end,
    "change_case:capital_word_frequency": _capital_words,
    "change_case:english_capital": _upper,
    "change_case:english_lowercase": _lower,
    "punctuation:no_comma": _no_comma,
    "startend:quotation": _quoted,
}


def tokens(text: str) -> list[str]:
    """Tokens as the Penn Treebank has them: punctuation apart, contractions in two, inner marks kept.

    >>> tokens("UP-DATE, I'M here (NOW).")
    ['UP-DATE', ',', 'I', "'M", 'here', '(', 'NOW', ')', '.']
    """
    return _TREEBANK.findall(text)


_TREEBANK = re.compile(
    r"(?:[^\W\d_]\.){2,}"  # acronyms
    r"|\w+(?=n't\b|N'T\b)|n't\b|N'T\b|'(?:[sSmMdD]|ll|LL|re|RE|ve|VE)\b"
    r"|\w(?:[\w\-./&@+]*\w)?(?=n't\b|N'T\b)|\w(?:[\w\-./&@+]*\w)?"
    r"|\.{2,}|-{2,}|\S"
)


def detected(text: str) -> str | None:
    """The language of a text by ISO 639-1 code, as langdetect tells it with a fixed seed.

    Of a word in capitals langdetect looks at the first letter alone, so its answer on such texts is often another
    language than English; the official result depends on that.

    Returns:
        None when langdetect finds nothing to go by; an instruction then counts as followed.

    Raises:
        MissingRequirement: When langdetect is not installed.
    """
    try:
        langdetect = importlib.import_module("langdetect")
    except ImportError as error:
        raise MissingRequirement("IFEval's language checks need langdetect", "pip install langdetect==1.0.9") from error
    langdetect.DetectorFactory.seed = 0
    try:
        code: str = langdetect.detect(text)
    except langdetect.LangDetectException:
        return None
    return code
