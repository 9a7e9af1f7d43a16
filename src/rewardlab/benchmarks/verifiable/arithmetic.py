"""Arithmetic: sums, mixed operations, products; held out: counting legs and sums of decimals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from rewardlab.benchmarks.verifiable.example import Family
from rewardlab.benchmarks.verifiable.gym import Entry, Gym, worked_family
from rewardlab.benchmarks.verifiable.working import Implausible, Working, carry_slips, product_slips

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def signed(number: int | Decimal) -> str:
    """A number as an operand: in brackets when negative."""
    return f"({number})" if number < 0 else str(number)


def _chain_sum(entry: Entry, working: Working) -> str:
    first, *rest = entry["metadata"]["expression"].split(" ")
    total = int(first)
    for position, (sign, term) in enumerate(zip(rest[::2], rest[1::2], strict=True), 1):
        operator = working.choose("sign", sign, "+" if sign == "-" else "-")
        right = total + int(term) if operator == "+" else total - int(term)
        aim = f"Take the {_ORDINALS[position]} term into the running total"
        total = working.total(aim, f"{total} {operator} {term}", right)
    return str(total)


def _expression(entry: Entry) -> str:
    return str(entry["metadata"]["expression"])


def _next_operation(tokens: list[str], in_order: bool) -> int:
    """Position of the operator to carry out next; by mistake the leftmost of its bracket when `in_order`."""
    close = tokens.index(")") if ")" in tokens else len(tokens)
    inner = max((i for i in range(close) if tokens[i] == "("), default=-1) + 1
    operators = range(inner + 1, close, 2)
    products = [i for i in operators if tokens[i] == "*"]
    return (products or operators)[0] if not in_order else operators[0]


def _basic_arithmetic(entry: Entry, working: Working) -> str:
    tokens = [t for t in _expression(entry).replace("(", " ( ").replace(")", " ) ").split() if t]
    _drop_brackets(tokens)
    while len(tokens) > 1:
        careful, hasty = _next_operation(tokens, False), _next_operation(tokens, True)
        at = working.choose("precedence", careful, hasty)
        left, operator, right = int(tokens[at - 1]), tokens[at], int(tokens[at + 1])
        operator = working.choose("sign", operator, *{"+": "-", "-": "+"}.get(operator, ""))
        value = {"+": left + right, "-": left - right, "*": left * right}[operator]
        shown = f"{left} {operator} {signed(right)}"
        if operator == "*":
            value = working.compute("Carry out the next multiplication", shown, value, product_slips(left, right))
        else:
            aim = "Carry out the next addition" if operator == "+" else "Carry out the next subtraction"
            value = working.total(aim, shown, value)
        tokens[at - 1 : at + 2] = [str(value)]
        _drop_brackets(tokens)
    return tokens[0]


def _drop_brackets(tokens: list[str]) -> None:
    at = 0
    while at < len(tokens) - 2:
        if tokens[at] == "(" and tokens[at + 2] == ")":
            tokens[at : at + 3] = [tokens[at + 1]]
            at = max(at - 1, 0)
        else:
            at += 1


def _products(entry: Entry, working: Working) -> str:
    left, right = (int(n) for n in _expression(entry).split(" * "))
    tens, units = right // 10 * 10, right % 10
    many = working.compute("Multiply by the tens", f"{left} * {tens}", left * tens, product_slips(left, tens))
    few = working.compute("Multiply by the units", f"{left} * {units}", left * units, product_slips(left, units))
    total = working.total("Add the two parts", f"{many} + {few}", many + few)
    return str(total)


def _legs(animal: str) -> int:
    from reasoning_gym.arithmetic.leg_counting import ANIMALS

    return int(ANIMALS[animal])


def _leg_counting(entry: Entry, working: Working) -> str:
    animals = entry["metadata"]["animals"]
    order = list(range(len(animals)))
    # Two animals may exchange their legs; a number of legs that none of them has would give the slip away.
    exchanged = [_exchanged(order, a, b) for a, b in combinations(order, 2)]
    taken = working.choose("swapped operand", order, *exchanged)
    legs = [_legs(list(animals)[i]) for i in taken]
    counts = []
    for (animal, number), each in zip(animals.items(), legs, strict=True):
        near = ((number + 1) * each, (number - 1) * each) if number > 1 else ()
        aim = f"Count the legs of each {animal} as {each}"
        counts.append(working.compute(aim, f"{number} * {each}", number * each, near))
    total = counts[0]
    for position, count in enumerate(counts[1:], 1):
        # Nearly all animals have an even number of legs, so an odd sum would be told at sight.
        carry = 10 if total + count > 30 else 2
        near = (total + count + carry, total + count - carry)
        total = working.compute(f"Add the {_ORDINALS[position]} count", f"{total} + {count}", total + count, near)
    if total <= 0:
        raise Implausible
    return str(total)


def _exchanged(order: Sequence[int], a: int, b: int) -> list[int]:
    changed = list(order)
    changed[a], changed[b] = changed[b], changed[a]
    return changed


def _leg_check(entry: Entry) -> str:
    return " + ".join(f"{number} * {_legs(animal)}" for animal, number in entry["metadata"]["animals"].items())


def _decimal_terms(entry: Entry) -> tuple[list[str], list[Decimal]]:
    parts = re.split(r" ([+-]) ", _expression(entry))
    return ["+", *parts[1::2]], [Decimal(part) for part in parts[::2]]


def _decimal_chain_sum(entry: Entry, working: Working) -> str:
    signs, terms = _decimal_terms(entry)
    places = max(-int(term.as_tuple().exponent) for term in terms)
    unit = 10**places
    total = terms[0]
    for position, (sign, term) in enumerate(zip(signs[1:], terms[1:], strict=True), 1):
        operator = working.choose("sign", sign, "+" if sign == "-" else "-")
        exact = int((total + term if operator == "+" else total - term) * unit)
        written = Decimal(working.choose("calculation", exact, *carry_slips(exact))) / unit
        shown = f"{total:.{places}f} {operator} {term:.{places}f}"
        working.note(
            f"Take the {_ORDINALS[position]} term into the running total",
            f"{shown} = {written:.{places}f}",
            shown,
            f"{written:.{places}f}",
        )
        total = written
    if total == 0:
        raise Implausible
    return f"{total:.{places}f}"


def _decimal_check(entry: Entry) -> str:
    signs, terms = _decimal_terms(entry)
    places = max(-int(term.as_tuple().exponent) for term in terms)
    scaled = " ".join(f"{sign} {int(term * 10**places)}" for sign, term in zip(signs, terms, strict=True))
    return f"total = {scaled.removeprefix('+ ')}\nf'{{total / {10**places}:.{places}f}}'"


FAMILIES: tuple[Family, ...] = (
    worked_family(
        "arithmetic",
        Gym("chain_sum", min_terms=3, max_terms=5, min_digits=2, max_digits=3),
        _chain_sum,
        _expression,
    ),
    worked_family(
        "arithmetic",
        Gym("basic_arithmetic", min_terms=3, max_terms=5, max_digits=2, operators=("+", "-", "*")),
        _basic_arithmetic,
        _expression,
        usable=lambda entry: "-(" not in _expression(entry),
    ),
    worked_family(
        "arithmetic",
        Gym("products", min_digits=2, max_digits=3),
        _products,
        _expression,
        usable=lambda entry: int(_expression(entry).split(" * ")[1]) % 10 > 0,
    ),
    worked_family(
        "arithmetic", Gym("leg_counting", min_animals=2, max_animals=4), _leg_counting, _leg_check, heldout=True
    ),
    worked_family(
        "arithmetic",
        Gym("decimal_chain_sum", min_terms=3, max_terms=4, max_digits=2, max_decimal_places=2),
        _decimal_chain_sum,
        _decimal_check,
        heldout=True,
    ),
)
