"""What a question asks to be computed, as Python that a judge could write from the question's text alone.

One reader for each kind of question of the benchmark `verifiable` whose answer can be recomputed in a line. A reader
sees the text and nothing else; where it does not understand it, there is no check. `worked` writes the same computation
out by hand, one operation after another, for a judge that has no sandbox.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def expression_of(question: str) -> str:
    """A Python expression for the answer to a question; "" where no reader understands it.

    >>> expression_of("Solve for e: 13694 - 58*e = 11606")
    '(13694 - 11606) // 58'
    """
    return next((found for read in _READERS if (found := read(question))), "")


def _arithmetic(question: str) -> str:
    """Numbers with operators between them, in the question's own writing."""
    match = re.fullmatch(
        r"(?:State the final answer to the following arithmetic problem:|Calculate|Solve the following multiplication:)"
        r" ([-\d+*() ]+?)(?: =|\.(?: .*)?)",
        question,
    )
    return match[1] if match else ""


def _equation(question: str) -> str:
    match = re.search(r": (-?\d+)\*[a-z] ([+-]) (\d+) = (-?\d+)$", question)
    if match:
        factor, sign, constant, right = match.groups()
        return f"({right} {'-' if sign == '+' else '+'} {constant}) // {factor}"
    match = re.search(r": (-?\d+) ([+-]) (\d+)\*[a-z] = (-?\d+)$", question)
    if match:
        constant, sign, factor, right = match.groups()
        moved = f"({right} - {constant})" if sign == "+" else f"({constant} - {right})"
        return f"{moved} // {factor}"
    return ""


_COMPLEX = r"\((-?\d+\.0+)?(?: ?([+-]?) ?(\d+)\.0+i)?\)"


def _complex(question: str) -> str:
    match = re.search(rf"complex numbers: {_COMPLEX} ([-+×]) {_COMPLEX}$", question)
    if match is None:
        return ""
    sign = match[4]
    a, b, c, d = (
        number
        for real, of_imaginary, imaginary in (match.group(1, 2, 3), match.group(5, 6, 7))
        for number in (
            real.partition(".")[0] if real else "0",
            f"{'-' if of_imaginary == '-' else ''}{imaginary or 0}",
        )
    )
    left, right = f"{a} {sign} {c}", f"{b} {sign} {d}"
    if sign == "×":
        left, right = f"{a} * {c} - {b} * {d}", f"{a} * {d} + {b} * {c}"
    return f"f'{{{left}}} + {{{right}}}i'.replace('+ -', '- ')"


def _people(question: str) -> str:
    match = re.search(r"How many (female friends|sisters) does", question)
    number = re.search(rf"(\d+) {match[1]}", question) if match else None
    return f"{number[1]} + 1" if number else ""


def _weekday(question: str) -> str:
    first = re.search(rf"\b({'|'.join(DAYS)}), \w+ \d+, \d+", question)
    days = re.search(r"(\d+)(?: days\b|-day\b)", question)
    if first is None or days is None:
        return ""
    sign = "-" if re.search(r"\b(?:before|ago|backward)\b", question) else "+"
    return f"'{' '.join(DAYS)}'.split()[({DAYS.index(first[1])} {sign} {days[1]}) % 7]"


def _sorting(question: str) -> str:
    match = re.search(r"sort these words in (ascending|descending) order .*: ([^:\n']+)$", question)
    if match is None:
        return ""
    reverse = ", reverse=True" if match[1] == "descending" else ""
    return f"', '.join(sorted('{match[2]}'.split(', '){reverse}))"


def _backward(question: str) -> str:
    match = re.fullmatch(r"Spell this word backward \(.*\): ([^\s']+)", question)
    return f"'{match[1]}'[::-1]" if match else ""


_READERS: tuple[Callable[[str], str], ...] = (
    _arithmetic, _equation, _complex, _people, _weekday, _sorting, _backward,
)  # fmt: skip

_OPERATIONS: dict[type[ast.operator], tuple[str, Callable[[int, int], int]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.FloorDiv: ("/", operator.floordiv),
    ast.Mod: ("mod", operator.mod),
}


def worked(expression: str) -> tuple[str, ...]:
    """The whole-number operations of an expression in the order in which they are carried out.

    >>> worked("748 + 597 - 904"), worked("-2 * (3 + 4)"), worked("'leister'[::-1]")
    (('748 + 597 = 1345', '1345 - 904 = 441'), ('3 + 4 = 7', '-2 * 7 = -14'), ())
    """
    steps: list[str] = []

    def value(node: ast.AST) -> int | None:
        match node:
            case ast.Constant(value=int() as number):
                return number
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)):
                return -number
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
                a, b = value(left), value(right)
                if a is not None and b is not None:
                    shown, compute = _OPERATIONS[type(op)]
                    result = compute(a, b)
                    steps.append(f"{a} {shown} {f'({b})' if b < 0 else b} = {result}")
                    return result
                return None
        for child in ast.iter_child_nodes(node):
            value(child)
        return None

    value(ast.parse(expression, mode="eval").body)
    return tuple(steps)
