"""The units of a written text: words, sentences, paragraphs, lines, list items, headings, code blocks.

One definition for each, for the checks and for whoever writes the instructions. A word is a run of letters and digits
(with apostrophes, hyphens, decimal points inside); in scripts without spaces every Han or Kana character is a word.
A sentence ends at a stop mark and not inside a decimal, an abbreviation or an initial. A paragraph is a block between
blank lines or rules; a fenced code block is one block whatever it holds, its lines are neither list items nor headings,
and its text has no sentences. Thai, Lao, Khmer and Burmese are not segmented: a run of them is one word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_UNSPACED = "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Marks are no word characters to `re`: vowel signs, points, accents. Joiners and soft hyphens stand inside words too.
_MARKS = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M")
_INSIDE = rf"\w{_MARKS}\u00ad\u200c\u200d\u2060"
_WORD = re.compile(
    rf"[{_UNSPACED}]|(?:[^\W\d_]\.){{2,}}|\d+(?:[.,:]\d+)+|(?:(?![{_UNSPACED}])[^\W_])+"
    rf"(?:['’\-\u2010\u2011]?(?:(?![{_UNSPACED}])[{_INSIDE}])+)*"
)
_FENCE = re.compile(r"(?:\s*>)*\s*(?P<fence>`{3,}|~{3,})(?P<info>.*)")  # a quoted block is a block too
_BULLET = re.compile(r"\s*[-*+•‣◦–]\s+\S")
_NUMBER = r"(?:\(?\d{1,3}[.)）]\s+|（\d{1,3}）\s*|\d{1,3}[、．]\s*)"
_NUMBERED = re.compile(rf"\s*{_NUMBER}\S")
_HEADING = re.compile(r" {0,3}#{1,6}\s+\S")
_NEAR = 40  # characters around a stop mark that decide whether it ends a sentence
_RULE = re.compile(r"\s*(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})")
_FULL = "。！？｡؟۔।॥"  # these end a sentence wherever they stand
_STOP = re.compile(rf"[.!?…{_FULL}]+[\"'”’)\]»」』*_]*")
_TITLES = re.compile(
    "dr|mr|mrs|ms|prof|st|jr|sr|vs|fig|eq|vol|ch|pp|ed|rev|gen|col|capt|lt|sgt|hon|messrs|mt|ft|dept|approx|e.g|i.e|cf"
)
_MAYBE = re.compile("etc|inc|ltd|co|corp|al|a.m|p.m")
"""Abbreviations that end a sentence when a capital letter follows."""


class Block(NamedTuple):
    """A fenced code block: what follows its opening fence, and what stands between the fences."""

    info: str
    content: str


class Layout(NamedTuple):
    """A text taken apart at its fences.

    Attributes:
        prose: The lines outside of code blocks; each block leaves one empty line.
        blocks: The code blocks.
        paragraphs: Paragraphs, code blocks among them.
    """

    prose: list[str]
    blocks: list[Block]
    paragraphs: list[str]


def layout(text: str) -> Layout:
    """Take a text apart. A fence that never closes holds the rest of the text, as in CommonMark.

    Fences may be indented at will, because models indent them under list items.

    >>> layout("One.\\n\\n```\\na\\n\\nb\\n```\\n\\nTwo.").paragraphs
    ['One.', '```\\na\\n\\nb\\n```', 'Two.']
    """
    prose: list[str] = []
    blocks: list[tuple[str, list[str]]] = []
    paragraphs: list[list[str]] = [[]]
    fence = ""
    for line in text.splitlines():
        match = _FENCE.fullmatch(line)
        if fence:
            closes = match and match["fence"].startswith(fence) and not match["info"].strip()
            paragraphs[-1].append(line)
            if closes:
                fence = ""
            else:
                blocks[-1][1].append(line)
        elif match and not ("`" in match["fence"] and "`" in match["info"]):
            fence = match["fence"]
            blocks.append((match["info"].strip(), []))
            prose.append("")
            paragraphs[-1].append(line)
        else:
            prose.append(line)
            if not line.strip() or _RULE.fullmatch(line):
                paragraphs.append([])
            else:
                paragraphs[-1].append(line)
    return Layout(
        prose,
        [Block(info, "\n".join(content)) for info, content in blocks],
        ["\n".join(paragraph) for paragraph in paragraphs if paragraph],
    )


def words(text: str) -> list[str]:
    """The words of a text, in order.

    >>> words("Dr. Lee's well-known 3.5% 中文")
    ['Dr', "Lee's", 'well-known', '3.5', '中', '文']
    """
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """The sentences of a text. Each heading and list item begins and ends its own; one without a word does not count.

    >>> sentences("Dr. Lee paid $3.50. Why? 好的。再见！")
    ['Dr. Lee paid $3.50.', 'Why?', '好的。', '再见！']
    """
    return [sentence for run in _runs(text) for sentence in _split(run) if words(sentence)]


def lines(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line for line in text.splitlines() if line.strip()]


def paragraphs(text: str) -> list[str]:
    """The paragraphs, code blocks among them."""
    return layout(text).paragraphs


def bullets(text: str) -> list[str]:
    """The list items with a bullet, at any depth; numbered items are not among them."""
    return [line for line in layout(text).prose if _BULLET.match(line) and not _RULE.fullmatch(line)]


def numbered(text: str) -> list[str]:
    """The numbered list items, at any depth."""
    return [line for line in layout(text).prose if _NUMBERED.match(line)]


def headings(text: str) -> list[str]:
    """The Markdown headings that begin with number signs."""
    return [line for line in layout(text).prose if _HEADING.match(line)]


def code_blocks(text: str) -> list[str]:
    """The content of each fenced code block.

    >>> code_blocks("a\\n```python\\nx = 1\\n```\\n")
    ['x = 1']
    """
    return [block.content for block in layout(text).blocks]


def letters(text: str) -> str:
    """The letters of a text, without marks, digits, spaces and punctuation."""
    return "".join(ch for ch in text if ch.isalpha())


@lru_cache(maxsize=4096)
def script(letter: str) -> str:
    """The script of a letter, as Unicode names it; "HAN" for ideographs.

    >>> script("я"), script("中"), script("か")
    ('CYRILLIC', 'HAN', 'HIRAGANA')
    """
    name = unicodedata.name(letter, "UNKNOWN").split()[0]
    return "HAN" if name == "CJK" else name


def _runs(text: str) -> list[str]:
    """Runs of prose lines that a sentence may cross."""
    runs: list[list[str]] = [[]]
    for line in layout(text).prose:
        alone = _HEADING.match(line) or _RULE.fullmatch(line) or not line.strip()
        if alone or _BULLET.match(line) or _NUMBERED.match(line):
            runs.append([])
        if line.strip() and not _RULE.fullmatch(line):
            runs[-1].append(re.sub(rf"^\s*{_NUMBER}", "", line).strip())
        if alone:
            runs.append([])
    return [" ".join(run) for run in runs if run]


def _split(run: str) -> list[str]:
    found, start = [], 0
    for match in _STOP.finditer(run):
        if _ends(run, match):
            found.append(run[start : match.end()].strip())
            start = match.end()
    return [*found, run[start:].strip()]


def _ends(run: str, stop: re.Match[str]) -> bool:
    """Whether a run of stop marks ends a sentence."""
    rest = run[stop.end() : stop.end() + _NEAR]
    if stop[0][0] in _FULL:
        return True
    if rest and not rest[0].isspace() and not _is_wide(rest[0]):
        return False
    if stop[0][0] == "…" or stop[0].startswith("..."):
        return not rest.strip() or not rest.strip()[0].islower()
    if stop[0][-1] in "\"'”’" and rest.strip()[:1].islower():
        return False
    if stop[0][0] != ".":
        return True
    before = re.search(r"[^\s(\[\"'“‘]*$", run[max(0, stop.start() - _NEAR) : stop.start()])
    word = before[0].casefold() if before else ""
    if not rest.strip():
        return True
    if word == "no":
        return not rest.strip()[0].isdigit()
    if _TITLES.fullmatch(word):
        return False
    if _MAYBE.fullmatch(word):
        return rest.strip()[0].isupper()
    # A single capital is an initial (J. K. Rowling); letters with full stops inside are an acronym (U.S.).
    return not re.fullmatch(r"[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]", word)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
