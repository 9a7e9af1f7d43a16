"""Whether a text gives the answer that a reference states.

The reference decides how it is compared: one letter as the letter of a choice, a number or an expression as
mathematics, a few words as words. A long reference is no answer but a text, and comparing texts is not for this module.
A text that does not mark its answer, or names the reference only in passing, is inconclusive: UNSURE, never VIOLATED.
"""

from __future__ import annotations

import re
import unicodedata

from rewardlab.verdict import Decision
from rewardlab.verifiers.check import Check, decided
from rewardlab.verifiers.math import Answer, bare, check_answer, extract_answer, numbers_of

LONGEST_NAME = 8
"""Words of a reference that is still compared as an answer."""

_LETTER = re.compile(r"\(?\s*([A-Z])(?:\s*[).])?")
_FIVE_TIMES = re.compile(r"(?<![A-Za-z])([A-Z])\1{4}(?![A-Za-z])")  # as JudgeBench's questions have it written
_CHOSEN = re.compile(
    r"\b(?:answer|choice|option|choose|pick|select|correct(?: answer| option| choice)?)\b[*_ ]*(?:is\b|:|=)?[*_ :]*"
    r"(?:option |choice |answer )?[*_ ]*(?:\(([A-Z])\)|\[([A-Z])\]"
    r"|([A-Z])(?=[).,:;*_]|\s*$|\s*\n|\s+(?:is|because|since|as)\b))"
    r"|(?:答案(?:是|为|选|:)|[故应]选(?:择|项)?:?)\s*(?:选项)?\s*\(?([A-Z])(?![A-Za-z])"
    r"|(?:^|\n)[*_ ]*\(?([A-Z])\)?[*_ ]*[.)]?[*_ ]*(?=\n|$)",
    re.IGNORECASE,
)
_NEAR = 40  # characters around a stated choice in which it may be denied
_DENIED_BEFORE = re.compile(r"(?:\b(?:not|never|neither|nor)|n['’]t|不)\s*(?:the\s+|an?\s+)?$", re.IGNORECASE)
_DENIED_AFTER = re.compile(
    r"[)\].*_\s]*\b(?:is|was|seems|looks)(?:n['’]t\b|\s+(?:not|never|wrong|incorrect|false|out)\b)", re.IGNORECASE
)
_EXPRESSION = re.compile(r"[\\^=<>{}]|\d\s*[-+*/]\s*\w|^[(\[][^,]*\d[^,]*,.*[)\]]$")
_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|isn't|wasn't|except|unlike|instead of|rather than)\b|不是|并非|而非"
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def match_reference(text: str, reference: str) -> Check:
    """Whether a text gives the reference as its answer.

    Returns:
        SATISFIED or VIOLATED where the text marks its answer (or ends with the reference); UNSURE where it marks none,
        marks several, or the reference is empty or longer than `LONGEST_NAME` words.

    >>> match_reference("Paris is large. The capital is Paris.", "Paris").decision.value
    'satisfied'
    >>> match_reference("A good question: think of (B) and (C).", "B").decision.value
    'unsure'
    """
    reference = bare(reference)
    if not reference:
        return Check(Decision.UNSURE, "The reference is empty.")
    if letter := _LETTER.fullmatch(reference):
        return _match_choice(text, letter[1])
    if numbers_of(reference) or _EXPRESSION.search(reference):
        return check_answer(text, reference)
    if len(reference.split()) > LONGEST_NAME:
        return Check(Decision.UNSURE, "The reference is a text, not a short answer.", reference)
    return _match_name(text, reference)


def _match_choice(text: str, letter: str) -> Check:
    text = unicodedata.normalize("NFKC", text)
    if spelled := _FIVE_TIMES.findall(text):
        return decided(spelled[-1] == letter, f"The text chooses {spelled[-1]}.", letter, spelled[-1])
    answer = extract_answer(text)
    marked = answer.text.strip("\"'“”‘’ ") if answer is not None and answer.step.marked else ""
    boxed = _LETTER.match(marked)
    chosen = [boxed[1]] if boxed and _stands_alone(marked, boxed) else _stated(text)[-1:]
    if not chosen:
        return Check(Decision.UNSURE, "The text marks no choice.", letter)
    if len(set(_choices(marked))) > 1:
        return Check(Decision.UNSURE, f"The answer {marked!r} names several choices.", letter, marked)
    return decided(chosen[0] == letter, f"The text chooses {chosen[0]}.", letter, chosen[0])


def _stated(text: str) -> list[str]:
    """The choices that a text states in words and does not deny, in order."""
    found = []
    for match in _CHOSEN.finditer(text):
        name = "".join(filter(None, match.groups()))
        before, after = text[max(0, match.start() - _NEAR) : match.start()], text[match.end() : match.end() + _NEAR]
        denied = _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after)
        if name.isupper() and not denied:
            found.append(name)
    return found


def _stands_alone(answer: str, match: re.Match[str]) -> bool:
    """Whether the letter at the start of an answer is a choice and not the word "A", an initial or part of a name."""
    rest = answer[match.end() :]
    if not rest or match[0] != match[1]:
        return True
    return bool(re.match(r"\s*[:,;.)\]]|\s+[-–—]\s|\s+(?:because|since|as|or|and)\b", rest))


def _choices(answer: str) -> list[str]:
    return re.findall(r"(?<![A-Za-z'])([B-Z]|A(?=\W*$|[).,:;]|\s+(?:or|and|because|since|as)\b))(?![A-Za-z'])", answer)


def _match_name(text: str, reference: str) -> Check:
    name = plain(reference)
    answer = extract_answer(text)
    if answer is not None and answer.step.marked:
        return _match_marked(answer, name, reference)
    sentences = [s for s in _SENTENCES.split(text) if s.strip()]
    holding = [s for s in sentences if occurs(name, plain(s))]
    if holding and holding[-1] is sentences[-1] and not _NEGATION.search(holding[-1]):
        return decided(True, f"The text ends with {reference!r}.", reference, holding[-1].strip())
    place = "only in passing or in a negation" if holding else "nowhere"
    return Check(Decision.UNSURE, f"The text marks no answer, and {reference!r} occurs {place}.", reference)


def _match_marked(answer: Answer, name: str, reference: str) -> Check:
    seen = f"The answer {answer.text!r} ({answer.step.value})"
    if not occurs(name, plain(answer.text)):
        return decided(False, f"{seen} does not contain {reference!r}.", reference, answer.text)
    if plain(answer.text) != name and (_NEGATION.search(answer.text) or re.search(r"\bor\b|或", answer.text)):
        return Check(Decision.UNSURE, f"{seen} names {reference!r} beside a negation or alternative.", reference)
    return decided(True, f"{seen} contains {reference!r}.", reference, answer.text)


def plain(text: str) -> str:
    """A text for comparison: compatibility forms, lower case, no articles, words and numbers one space apart.

    >>> plain("The  Café, LLC!")
    'café llc'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = re.findall(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W_]+)*|[+#%]+", folded)
    return " ".join(word for word in words if word not in ("a", "an", "the")) or " ".join(words)


def occurs(name: str, text: str) -> bool:
    """Whether a plain name occurs in a plain text as whole words.

    Scripts without spaces have no word boundary to look for, so there any occurrence counts.
    """
    if any(unicodedata.east_asian_width(ch) == "W" for ch in name):
        return name.replace(" ", "") in text.replace(" ", "")
    return bool(name) and f" {name} " in f" {text} "
