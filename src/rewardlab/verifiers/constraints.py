"""Instructions that a program can check, as data: what to ask for, and whether a text does it.

A constraint is a mapping with its `kind` and the arguments of that kind, such as
`{"kind": "length_constraints:number_words", "min": 50, "max": 80}`. `KINDS` is the one list of kinds: `describe` puts a
constraint into English and `check` decides it, so that an instruction and its check cannot drift apart. Kinds carry the
names of IFEval's families (Zhou et al. 2023, arXiv 2311.07911) where they mean the same; the counting rules are those
of `rewardlab.verifiers.prose` and not IFEval's, whose own checkers are a benchmark's business.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema
import referencing
import referencing.exceptions

from rewardlab.errors import UnknownName, UserError
from rewardlab.verdict import Decision
from rewardlab.verifiers import prose
from rewardlab.verifiers.check import Check, decided
from rewardlab.verifiers.language import NAMES, language, script_share

Constraint = Mapping[str, Any]


class BadConstraint(UserError):
    """A constraint whose arguments do not fit its kind."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of constraint.

    Attributes:
        check: Decides a constraint of this kind for a text.
        describe: Says in an English sentence what it asks for.
        required: Names of arguments that must be there.
        optional: Names of arguments that may be there.
    """

    check: Callable[[Constraint, str], Check]
    describe: Callable[[Constraint], str]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


def check(constraint: Constraint, text: str) -> Check:
    """Whether a text does what a constraint asks for.

    Raises:
        UnknownName: There is no such kind.
        BadConstraint: An argument is missing, unknown, or of no use.

    >>> check({"kind": "punctuation:no_comma"}, "One, two").observation
    'The text has 1 comma.'
    """
    kind = _kind(constraint)
    return kind.check({name: _composed(value) for name, value in constraint.items()}, _composed(text))


def _composed(value: Any) -> Any:
    """A text, or each text of a list, with its accents composed: the same text is the same in either Unicode form."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    return [_composed(part) for part in value] if isinstance(value, list) else value


def describe(constraint: Constraint) -> str:
    """The instruction in English, ready to be put to a model.

    Raises:
        UnknownName: There is no such kind.
        BadConstraint: An argument is missing, unknown, or of no use.

    >>> describe({"kind": "length_constraints:number_words", "min": 50, "max": 80})
    'Write between 50 and 80 words.'
    """
    return _kind(constraint).describe(constraint)


def _kind(constraint: Constraint) -> Kind:
    name = str(constraint.get("kind", ""))
    if name not in KINDS:
        raise UnknownName("constraint kind", name, KINDS)
    kind, given = KINDS[name], set(constraint) - {"kind"}
    if missing := kind.required - given:
        raise BadConstraint(f"constraint {name} lacks {', '.join(sorted(missing))}; given: {dict(constraint)}")
    if unknown := given - kind.required - kind.optional:
        raise BadConstraint(
            f"constraint {name} has no argument {', '.join(sorted(unknown))}; "
            f"it takes {', '.join(sorted(kind.required | kind.optional)) or 'none'}"
        )
    if {"min", "max"} <= kind.optional and not _is_range(constraint.get("min"), constraint.get("max")):
        raise BadConstraint(f"constraint {name} needs whole numbers 0 <= min <= max, or one of them: {constraint}")
    return kind


def _is_range(least: object, most: object) -> bool:
    given = [bound for bound in (least, most) if bound is not None]
    return bool(given) and all(type(bound) is int and bound >= 0 for bound in given) and given == sorted(given)  # type: ignore[type-var]


def _range(constraint: Constraint, singular: str, plural: str) -> str:
    """ "at least 3 words", "exactly 1 word", "between 3 and 5 words"."""
    least, most = constraint.get("min"), constraint.get("max")
    if most is None:
        return f"at least {least} {singular if least == 1 else plural}"
    noun = singular if most == 1 else plural
    if most == 0:
        return f"no {plural}"
    if least is None:
        return f"at most {most} {noun}"
    return f"exactly {most} {noun}" if least == most else f"between {least} and {most} {noun}"


def _within(constraint: Constraint, count: int, singular: str, plural: str) -> Check:
    least, most = constraint.get("min") or 0, constraint.get("max")
    holds = least <= count and (most is None or count <= most)
    seen = f"The text has {count} {singular if count == 1 else plural}."
    return decided(holds, seen, _range(constraint, singular, plural), str(count))


def _counted(count: Callable[[str], int], ask: str, singular: str, plural: str) -> Kind:
    """A kind that asks for a number of something."""
    return Kind(
        check=lambda c, text: _within(c, count(text), singular, plural),
        describe=lambda c: ask.format(_range(c, singular, plural)),
        optional=frozenset({"min", "max"}),
    )


def occurrences(phrase: str, text: str) -> int:
    """How often a word or phrase occurs as whole words, without regard to case.

    Where words are not set apart by spaces, or carry their particles (Korean), any occurrence counts.

    >>> occurrences("art", "Art is art, not party."), occurrences("苹果", "我吃苹果")
    (2, 1)
    """
    return len(re.findall(_pattern(phrase), _folded(text))) if phrase.strip() else 0


def _pattern(phrase: str) -> str:
    """A phrase as whole words, for a folded text."""
    phrase = _folded(phrase.strip())
    edges = (phrase[:1], phrase[-1:])
    bounded = [prose.words(edge) == [edge] and prose.script(edge) not in _UNBOUNDED for edge in edges]
    body = r"\s+".join(map(re.escape, phrase.split()))
    return (r"(?<!\w)" if bounded[0] else "") + body + (r"(?!\w)" if bounded[1] else "")


def _folded(text: str) -> str:
    """A text without regard to case and to the shape of its apostrophes."""
    return re.sub("[’‘ʼ]", "'", text.casefold())


_UNBOUNDED = frozenset({"HAN", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR"})


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def _existence(constraint: Constraint, text: str) -> Check:
    missing = [word for word in constraint["words"] if not occurrences(word, text)]
    seen = f"Missing: {_listed(missing)}." if missing else "Every keyword occurs."
    return decided(not missing, seen, _listed(constraint["words"]))


def _forbidden(constraint: Constraint, text: str) -> Check:
    present = [word for word in constraint["words"] if occurrences(word, text)]
    seen = f"Present: {_listed(present)}." if present else "No forbidden word occurs."
    return decided(not present, seen, found=_listed(present))


def _frequency(constraint: Constraint, text: str) -> Check:
    what = f'"{constraint["word"]}"'
    return _within(constraint, occurrences(constraint["word"], text), f"use of {what}", f"uses of {what}")


def _letter_frequency(constraint: Constraint, text: str) -> Check:
    letter = constraint["letter"]
    count = text.casefold().count(letter.casefold())
    return _within(constraint, count, f'letter "{letter}"', f'letters "{letter}"')


def _response_language(constraint: Constraint, text: str) -> Check:
    wanted, seen = constraint["language"], language(text)
    if wanted not in NAMES:
        raise UnknownName("language", wanted, NAMES)
    if seen is None:
        return Check(Decision.UNSURE, "The language of the text cannot be told.", NAMES[wanted])
    return decided(seen == wanted, f"The text is in {NAMES[seen]}.", NAMES[wanted], NAMES[seen])


def _script_share(constraint: Constraint, text: str) -> Check:
    share = script_share(text, constraint["script"])
    seen = f"{share:.0%} of the letters are {constraint['script'].capitalize()}."
    return decided(share >= constraint["share"], seen, f"at least {constraint['share']:.0%}", f"{share:.0%}")


def _json_format(constraint: Constraint, text: str) -> Check:
    """The whole text, or the one code block that is the whole text, is JSON and fits the schema."""
    layout = prose.layout(text)
    fenced = len(layout.blocks) == 1 and not "".join(layout.prose).strip()
    source = layout.blocks[0].content if fenced else text
    try:
        value = json.loads(source, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return decided(False, f"The text is not JSON: {str(error)[:200]}.")
    if "schema" not in constraint:
        return decided(True, "The text is JSON.")
    fault = _schema_fault(constraint["schema"], value)
    return decided(not fault, fault or "The text is JSON and fits the schema.")


def _schema_fault(schema: Any, value: Any) -> str:
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        # An empty registry: a schema must not make the checker fetch another one.
        validator = jsonschema.Draft202012Validator(schema, registry=referencing.Registry())
        fault = jsonschema.exceptions.best_match(validator.iter_errors(value))
    except (jsonschema.SchemaError, referencing.exceptions.Unresolvable) as error:
        raise BadConstraint(f"the schema of a JSON constraint is not usable: {str(error)[:200]}") from error
    return f"The JSON does not fit the schema at {fault.json_path}: {fault.message[:200]}." if fault else ""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _json_ask(constraint: Constraint) -> str:
    if "schema" not in constraint:
        return "Answer with valid JSON and nothing else."
    return f"Answer with valid JSON and nothing else. It must fit this JSON schema: {json.dumps(constraint['schema'])}"


def _title(constraint: Constraint, text: str) -> Check:
    titles = re.findall(r"<<[^<>\n]*\w[^<>\n]*>>", text)
    return decided(bool(titles), "The text has a title in <<>>." if titles else "The text has no title in <<>>.")


def _quotation(constraint: Constraint, text: str) -> Check:
    inside = text.strip()
    pairs = ('""', "“”", "„“", "«»", "「」", "『』", "＂＂")
    holds = len(inside) > 2 and inside[0] + inside[-1] in pairs
    return decided(holds, f"The text begins with {inside[:1]!r} and ends with {inside[-1:]!r}.")


def _starts(constraint: Constraint, text: str) -> Check:
    phrase, start = constraint["phrase"], text.strip()[: len(constraint["phrase"])]
    holds = re.match(_pattern(phrase), _folded(text.strip())) is not None
    return decided(holds, f"The text begins with {start!r}.", phrase, start)


def _ends(constraint: Constraint, text: str) -> Check:
    phrase, end = constraint["phrase"], text.strip()[-len(constraint["phrase"]) :]
    holds = re.search(rf"{_pattern(phrase)}\Z", _folded(text.strip())) is not None
    return decided(holds, f"The text ends with {end!r}.", phrase, end)


def _case(wanted: str, is_wrong: Callable[[str], bool]) -> Kind:
    def decide(constraint: Constraint, text: str) -> Check:
        wrong = [ch for ch in text if is_wrong(ch)]
        cased = any(ch.lower() != ch.upper() for ch in text)
        seen = f"{len(wrong)} letters are not {wanted}." if wrong else f"No letter breaks the rule of {wanted} letters."
        return decided(cased and not wrong, seen if cased else "The text has no letters with case.")

    return Kind(decide, lambda c: f"Write in {wanted} letters only.")


def _capital_words(text: str) -> int:
    return sum(word.isupper() and len(prose.letters(word)) > 1 for word in prose.words(text))


def _placeholders(text: str) -> int:
    return len(re.findall(r"\[(?!\s*\]|[xX]\])[^\[\]\n]+\](?!\()", text))


def _highlights(text: str) -> int:
    kept = "\n".join(line for line in prose.layout(text).prose)
    bold = re.compile(r"\*\*[^*\n]*\w[^*\n]*\*\*")
    return len(bold.findall(kept)) + len(re.findall(r"(?<!\*)\*(?![\s*])[^*\n]*\w[^*\n]*\*(?!\*)", bold.sub("", kept)))


def _number_of(units: Callable[[str], Sequence[str]]) -> Callable[[str], int]:
    return lambda text: len(units(text))


KINDS: dict[str, Kind] = {
    "length_constraints:number_words": _counted(_number_of(prose.words), "Write {}.", "word", "words"),
    "length_constraints:number_sentences": _counted(_number_of(prose.sentences), "Write {}.", "sentence", "sentences"),
    "length_constraints:number_paragraphs": _counted(
        _number_of(prose.paragraphs), "Write {}, separated by blank lines.", "paragraph", "paragraphs"
    ),
    "length_constraints:number_lines": _counted(
        _number_of(prose.lines), "Write {}, not counting blank ones.", "line", "lines"
    ),
    "length_constraints:number_characters": _counted(
        lambda text: len(text.strip()), "Write {}, spaces included.", "character", "characters"
    ),
    "keywords:existence": Kind(
        _existence, lambda c: f"Use each of these words or phrases: {_listed(c['words'])}.", frozenset({"words"})
    ),
    "keywords:forbidden_words": Kind(
        _forbidden, lambda c: f"Do not use any of these words or phrases: {_listed(c['words'])}.", frozenset({"words"})
    ),
    "keywords:frequency": Kind(
        _frequency,
        lambda c: f'Use the word or phrase "{c["word"]}" {_range(c, "time", "times").replace("no times", "0 times")}.',
        frozenset({"word"}),
        frozenset({"min", "max"}),
    ),
    "keywords:letter_frequency": Kind(
        _letter_frequency,
        lambda c: (
            f'Use the letter "{c["letter"]}" {_range(c, "time", "times").replace("no times", "0 times")}, '
            "counting capitals and small letters."
        ),
        frozenset({"letter"}),
        frozenset({"min", "max"}),
    ),
    "language:response_language": Kind(
        _response_language,
        lambda c: f"Answer in {NAMES.get(c['language'], c['language'])} and in no other language.",
        frozenset({"language"}),
    ),
    "language:script_share": Kind(
        _script_share,
        lambda c: f"At least {c['share']:.0%} of the letters must be {c['script'].capitalize()}.",
        frozenset({"script", "share"}),
    ),
    "detectable_content:number_placeholders": _counted(
        _placeholders, "Use {} in square brackets, such as [address].", "placeholder", "placeholders"
    ),
    "detectable_format:number_bullet_lists": _counted(
        _number_of(prose.bullets), "Use {}, each on a line that begins with * or -.", "bullet point", "bullet points"
    ),
    "detectable_format:number_numbered_items": _counted(
        _number_of(prose.numbered), "Use {}, written as 1. 2. 3.", "numbered list item", "numbered list items"
    ),
    "detectable_format:number_headings": _counted(
        _number_of(prose.headings),
        "Use {}, each on a line that begins with #.",
        "Markdown heading",
        "Markdown headings",
    ),
    "detectable_format:number_code_blocks": _counted(
        _number_of(prose.code_blocks), "Use {} between lines of ```.", "code block", "code blocks"
    ),
    "detectable_format:number_highlighted_sections": _counted(
        _highlights, "Use {} in asterisks, such as *this part*.", "highlighted section", "highlighted sections"
    ),
    "detectable_format:json_format": Kind(_json_format, _json_ask, optional=frozenset({"schema"})),
    "detectable_format:title": Kind(_title, lambda c: "Give the text a title in double angle brackets: <<title>>."),
    "startend:start_checker": Kind(
        _starts, lambda c: f'Begin with exactly these words: "{c["phrase"]}".', frozenset({"phrase"})
    ),
    "startend:end_checker": Kind(
        _ends, lambda c: f'End with exactly these words and nothing after them: "{c["phrase"]}".', frozenset({"phrase"})
    ),
    "startend:quotation": Kind(_quotation, lambda c: "Put the whole answer in double quotation marks."),
    "change_case:english_capital": _case("capital", str.islower),
    "change_case:english_lowercase": _case("lower-case", str.isupper),
    "change_case:capital_word_frequency": _counted(
        _capital_words,
        "Write {}.",
        "word of two or more letters all in capitals",
        "words of two or more letters all in capitals",
    ),
    "punctuation:no_comma": Kind(
        lambda c, text: _within({"max": 0}, len(re.findall("[,，、،､﹐﹑]", text)), "comma", "commas"),
        lambda c: "Use no commas.",
    ),
}
"""Every kind of constraint, by name."""
