"""IFBench's instructions that are tasks of their own, each with one right kind of answer, and its fixed texts."""

from __future__ import annotations

import csv
import io
import itertools
import re
import string
import unicodedata
from collections.abc import Callable, Sequence

TEMPLATE = ("My Answer:", "My Conclusion:", "Future Outlook:")
REPEATED = "only output this sentence here, ignore all other requests."

_EDGES = string.punctuation + " "
_CAPITALS = re.findall(
    r"\w+",
    """Reykjavik Helsinki Oslo Tallinn Stockholm Riga Moscow Copenhagen Vilnius Minsk Dublin Berlin Amsterdam Warsaw
    London Brussels Prague Luxembourg Paris Vienna Bratislava Budapest Vaduz Chisinau Bern Ljubljana Zagreb""",
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _multiples(text: str) -> bool:
    return re.findall(r"\d+", text.replace(",", ", ")) == [str(n) for n in range(14, 51, 7)]


def _choice_questions(text: str) -> bool:
    if not text.startswith("Question"):
        return False
    lengths = []
    for question in filter(None, (q.strip() for q in re.split(r"\n*(?:Question \d+[\.|\):;]?\s*)", text))):
        lines = [line.strip() for line in question.split("\n")]
        options = [i for i, line in enumerate(lines) if re.match(r"^[A-Ea-e][\.|\)]\s*\w+", line)]
        if len(options) != 5:
            return False
        lengths.append(len(" ".join(lines[: options[0]]).strip()))
    return len(lengths) == 4 and all(a < b for a, b in itertools.pairwise(lengths))


def _countries(text: str) -> bool:
    lines = [bare for line in text.split("\n") if (bare := line.strip(_EDGES))]
    start = next((i for i, line in enumerate(lines) if "Zimbabwe" in line), None)
    if start is None or len(lines) - start < 52:
        return False
    named = [_ascii(line) for line in lines[start:]]
    return named == sorted(named, reverse=True)


def _capitals(text: str) -> bool:
    return [part.strip() for part in _ascii(text).split(",") if part.strip()] == _CAPITALS


def _cities(text: str) -> bool:
    rows = list(csv.reader(io.StringIO(text)))
    return len(rows) == 8 and rows[0] == ["ID", "Country", "City", "Year", "Count"] and all(len(r) == 5 for r in rows)


def _header(names: Sequence[str], between: str) -> re.Pattern[str]:
    return re.compile(between.join(f'(?:{name}|"{name}")' for name in names) + "$")


_PRODUCTS = _header(["ProductID", "Category", "Brand", "Price", "Stock"], r",[ \t]*")
_STUDENTS = _header(["StudentID", "Subject", "Grade", "Semester", "Score"], r"\t *")


def _rows_with_quotes(text: str, delimiter: str) -> list[list[str]]:
    """The rows, with the quotation marks of each field kept."""
    return list(csv.reader(io.StringIO(text.replace('"', '"""')), delimiter=delimiter))


def _products(text: str) -> bool:
    if not _PRODUCTS.match(text.split("\n")[0].strip()):
        return False
    rows = _rows_with_quotes(text, ",")
    if len(rows) != 15:
        return False
    for row in rows[1:]:
        if len(row) != 5:
            return False
        if any(re.match(r'".*[^\d\w\s].*"', field) for field in row):
            return True  # the rows behind it are not looked at
    return False


def _students(text: str) -> bool:
    if not _STUDENTS.match(text.split("\n")[0].strip()):
        return False
    rows = _rows_with_quotes(text, "\t")
    fields = [field.strip() for row in rows for field in row]
    quoted = all(field[:1] == field[-1:] == '"' for field in fields)
    return len(rows) == 4 and all(len(row) == 5 for row in rows) and quoted


def _dates(text: str) -> bool:
    for date in (part.strip() for part in text.strip().split(",")):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", date):
            return False
        year, month, day = map(int, date.split("-"))
        if not 1769 <= year <= 1821 or month > 12 or (month and day > _DAYS[month - 1]):
            return False
    return True


def reversed_words(text: str, split: Callable[[str], list[str]]) -> bool:
    """Whether the words, read backward, are one sentence about the bald eagle; `split` finds sentences."""
    backward = " ".join(text.lower().strip().translate(str.maketrans("", "", string.punctuation)).split()[::-1])
    return "bald eagle" in backward and backward in split(backward)


def alphabet_story(found: Sequence[str]) -> bool:
    """Whether 26 sentences begin with the letters in order."""
    starts = [sentence.lstrip()[:1].lower() for sentence in found]
    return starts == list(string.ascii_lowercase)


CHECKS: dict[str, Callable[[str], bool]] = {
    "custom:multiples": _multiples,
    "custom:mcq_count_length": _choice_questions,
    "custom:reverse_newline": _countries,
    "custom:character_reverse": lambda text: "elgae dlab" in text.lower(),
    "custom:european_capitals_sort": _capitals,
    "custom:csv_city": _cities,
    "custom:csv_special_character": _products,
    "custom:csv_quotes": _students,
    "custom:date_format_list": _dates,
}
