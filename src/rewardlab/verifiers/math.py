"""The final answer of a solution, and whether it equals a reference.

An answer is looked for in named steps, surest first: after `####`, in the last box, after words like "the answer is",
and last of all the last number of the text. The first three are marked answers, and a marked answer that differs is a
violation. The last number is a guess: when it differs, nothing is settled.

Equality is tried exactly, then as numbers (currency, thousands separators, percent signs and a unit aside), then
symbolically through math-verify. A percent sign is ambiguous in references, so 50% equals both 50 and 0.5.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from rewardlab.verdict import Decision
from rewardlab.verifiers.check import Check, decided
from rewardlab.verifiers.symbolic import shared

RELATIVE_TOLERANCE = Fraction(1, 10**6)
"""Two numbers this close count as equal, as in math-verify's six decimals; whole numbers are equal or not."""


class Step(StrEnum):
    """Where an answer was found."""

    HASHES = "after ####"
    BOXED = "in the last box"
    ANSWER_IS = "after 'the answer is'"
    LAST_NUMBER = "the last number"

    @property
    def marked(self) -> bool:
        """Whether the author marked it as the answer."""
        return self is not Step.LAST_NUMBER


class Answer(NamedTuple):
    """A final answer and the step that found it."""

    text: str
    step: Step


_MOST_BOXES = 20  # unclosed boxes that are skipped, from the end
_LONGEST_BOX = 2000
_HASHES = re.compile(r"####[ \t]*([^\n#]+)")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*")
_ANSWER_IS = re.compile(
    r"(?:\banswers?\b[*_ ]*(?:(?:is|are|equals?|should be|must be|would be)\b|[:=])|^[ \t*]*A:|答案(?:是|为|：|:))"
    r"[*_ ]*:?[*_ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"(?<![\w.,^])-?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?<=\d)(?:/\d+)?%?(?![\w^])")
_SENTENCE_END = re.compile(r"(?<=[^\s.])\.(?=\s|$)|(?<=\S)[;!?。！？](?=\s|$)")
_UNIT = r"(?:\s*(?:°[CF]?|[a-zA-Z]{2,}\.?)(?:(?:\s+|/)(?:per\s+)?[a-zA-Z]{2,}\.?){0,2}(?:\^?[23²³])?)?"
_NOT_UNITS = re.compile(
    r"\b(?:or|and|to|by|plus|minus|times|over|through|pi|sqrt|hundred|thousand|million|billion|trillion|dozen|half|mod)\b",
    re.IGNORECASE,
)
_WITH_UNIT = re.compile(
    r"(?P<sign>[-+]?)\s*(?:\\?[$€£¥])?\s*(?P<minus>-?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?P<part>\.\d*)?"
    r"(?:[eE](?P<exponent>[-+]?\d{1,3}))?(?:/(?P<over>\d+))?\s*(?P<percent>\\?%)?(?P<unit>" + _UNIT + r")"
)


def extract_answer(text: str) -> Answer | None:
    """The final answer of a solution, or None when no step finds one.

    >>> extract_answer("So 3 + 4 = 7.\\n#### 7")
    Answer(text='7', step=<Step.HASHES: 'after ####'>)
    >>> extract_answer("Hence \\\\boxed{\\\\frac{1}{2}}.").text
    '\\\\frac{1}{2}'
    """
    return _after_hashes(text) or _in_box(text) or _after_words(text) or _last_number(text)


def equal(expected: str, found: str) -> bool | None:
    """Whether two answers are equal: as texts, as numbers, or as expressions.

    Returns:
        None when they are different texts that cannot be compared as mathematics.

    >>> equal("1,000", "$1000.00"), equal("7", "8")
    (True, False)
    """
    expected, found = bare(expected), bare(found)
    if expected == found:
        return bool(expected) or None
    numbers = numbers_of(expected), numbers_of(found)
    if all(numbers):
        return any(_close(a, b) for a in numbers[0] for b in numbers[1])
    left, right = (str(values[0]) if values else text for values, text in zip(numbers, (expected, found), strict=True))
    return shared().equal(left, right) if _is_mathematical(left) and _is_mathematical(right) else None


def check_answer(solution: str, reference: str) -> Check:
    """Whether the final answer of a solution equals the reference.

    Returns:
        SATISFIED when it does; VIOLATED when a marked answer does not; UNSURE when there is no answer, when only the
        last number differs, or when the two cannot be compared.
    """
    answer = extract_answer(solution)
    if answer is None:
        return Check(Decision.UNSURE, "The solution gives no final answer.", reference)
    same = equal(reference, answer.text)
    seen = f"The answer {answer.text!r} ({answer.step.value})"
    if same is None:
        return Check(Decision.UNSURE, f"{seen} cannot be compared with {reference!r}.", reference, answer.text)
    if not same and not answer.step.marked:
        return Check(Decision.UNSURE, f"{seen} is not {reference!r}, but is not marked.", reference, answer.text)
    return decided(same, f"{seen} {'equals' if same else 'does not equal'} {reference!r}.", reference, answer.text)


def bare(answer: str) -> str:
    """An answer without mathematics delimiters, emphasis, text commands and a closing full stop."""
    text = answer.strip()
    text = re.sub(r"\\(?:text|textbf|mathrm|mbox)\s*\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\[()\[\]]|\\(?:left|right)(?![a-zA-Z])|(?<!\\)\\[,;!: ]|(?<!\\)\$(?!\d)|\*\*|__|`", "", text)
    text = text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("−", "-").replace("\u00a0", " ")
    text = text.replace("∞", "\\infty")
    return re.sub(r"\s+", " ", text).strip().rstrip(".,;:").strip()


def numbers_of(text: str) -> tuple[Fraction, ...]:
    """The values that a text may have as one number; two for a percentage, none when it is not a number.

    >>> numbers_of("-1,234.5 meters"), numbers_of("50%"), numbers_of("3x")
    ((Fraction(-2469, 2),), (Fraction(50, 1), Fraction(1, 2)), ())
    """
    fraction = re.fullmatch(r"(-?)\\frac\{(-?\d+)\}\{(\d+)\}", text)
    if fraction:
        text = f"{fraction[1]}{fraction[2]}/{fraction[3]}".replace("--", "")
    mixed = re.fullmatch(r"(-?)(\d+) (\d+)/(\d+)", text)
    if mixed and int(mixed[3]) < int(mixed[4]):
        value = int(mixed[2]) + Fraction(int(mixed[3]), int(mixed[4]))
        return (-value if mixed[1] else value,)
    match = _WITH_UNIT.fullmatch(text)
    if match is None or not (match["whole"] or (match["part"] or ".") != ".") or _NOT_UNITS.search(match["unit"]):
        return ()
    if match["over"] and (match["part"] or int(match["over"]) == 0):
        return ()
    digits = (match["whole"] or "0").replace(",", "") + (match["part"] or "").rstrip(".")
    value = Fraction(digits) * Fraction(10) ** int(match["exponent"] or 0) / int(match["over"] or 1)
    value = -value if (match["sign"] == "-") != (match["minus"] == "-") else value
    return (value, value / 100) if match["percent"] else (value,)


def _close(a: Fraction, b: Fraction) -> bool:
    if a.denominator == b.denominator == 1:
        return a == b
    return abs(a - b) <= RELATIVE_TOLERANCE * max(abs(a), abs(b))


def _is_mathematical(text: str) -> bool:
    """Whether it is worth reading as an expression: no words but the names of functions, no foreign letters."""
    if any(ch.isalpha() and not ch.isascii() and not unicodedata.name(ch, "").startswith("GREEK") for ch in text):
        return False
    words = re.findall(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}", re.sub(r"\\(?:begin|end)\{\w+\}", "", text))
    known = {"sin", "cos", "tan", "log", "ln", "exp", "sqrt", "pi", "or", "and", "in"}
    return bool(text) and all(word in known for word in words)


def _after_hashes(text: str) -> Answer | None:
    found = [m[1] for m in _HASHES.finditer(text) if bare(m[1])]
    return Answer(bare(found[-1]), Step.HASHES) if found else None


def _in_box(text: str) -> Answer | None:
    for match in reversed(list(_BOX.finditer(text))[-_MOST_BOXES:]):
        inside = _group(text, match.end())
        if bare(inside):
            return Answer(bare(inside), Step.BOXED)
    return None


def _group(text: str, start: int) -> str:
    """The braced group that opens at `start`, or the one word there; "" when the braces do not close."""
    if text[start : start + 1] != "{":
        word = re.match(r"[^\s$.,;{}\\]+", text[start:])
        return word[0] if word else ""
    depth = 0
    for at in range(start, min(len(text), start + _LONGEST_BOX)):
        if text[at] in "{}" and text[at - 1] != "\\":
            depth += 1 if text[at] == "{" else -1
            if depth == 0:
                return text[start + 1 : at]
    return ""


def _after_words(text: str) -> Answer | None:
    for match in reversed(list(_ANSWER_IS.finditer(text))):
        line = text[match.end() :].partition("\n")[0]
        if answer := bare(_SENTENCE_END.split(line, maxsplit=1)[0]):
            return Answer(answer, Step.ANSWER_IS)
    return None


def _last_number(text: str) -> Answer | None:
    found = _NUMBER.findall(text)
    return Answer(found[-1], Step.LAST_NUMBER) if found else None
