"""Algebra: linear equations, complex numbers, integrals of polynomials; held out: the missing angle of a polygon."""

from __future__ import annotations

import re
from fractions import Fraction

from rewardlab.benchmarks.verifiable.arithmetic import signed
from rewardlab.benchmarks.verifiable.example import Family
from rewardlab.benchmarks.verifiable.gym import Entry, Gym, worked_family
from rewardlab.benchmarks.verifiable.working import Implausible, Working, carry_slips, product_slips

_LARGEST = 100  # solution of an equation, by reasoning-gym's default
_ANGLES = range(10, 171)  # degrees, by reasoning-gym's default for the angles that are given


def _linear(entry: Entry) -> tuple[int, int, int]:
    """Coefficient, constant and right-hand side of an equation in one unknown."""
    left, right = entry["metadata"]["equation"].split(" = ")
    terms = re.findall(r"([+-]?) ?(\d+)(\*?[a-z])?", left)
    values = [(int(f"{sign}{number}"), bool(unknown)) for sign, number, unknown in terms]
    return sum(v for v, unknown in values if unknown), sum(v for v, unknown in values if not unknown), int(right)


def _is_full_equation(entry: Entry) -> bool:
    pattern = r"-?\d+\*[a-z] [+-] \d+ = -?\d+|-?\d+ [+-] \d+\*[a-z] = -?\d+"
    return re.fullmatch(pattern, entry["metadata"]["equation"]) is not None


def _simple_equations(entry: Entry, working: Working) -> str:
    factor, constant, right = _linear(entry)
    unknown = entry["metadata"]["variable"]
    # The slips keep the division exact: a fraction would give the wrong solution away without any checking.
    operator = working.choose("sign", "-", "+")
    moved = right - constant if operator == "-" else right + constant
    near = tuple(moved + sign * groups * factor for groups in (1, 2, 10) for sign in (1, -1))
    moved = working.compute("Move the constant to the right", f"{right} {operator} {signed(constant)}", moved, near)
    aim = f"Divide by the coefficient of {unknown}"
    shown, exact = f"{moved} / {signed(factor)}", moved // factor
    value = working.compute(aim, shown, exact, carry_slips(exact), shown.replace("/", "//"))
    if moved % factor or not all(1 <= number <= _LARGEST for number in (exact, value)):
        raise Implausible
    return str(value)


def _equation_check(entry: Entry) -> str:
    factor, constant, right = _linear(entry)
    return f"({right} - {signed(constant)}) // {signed(factor)}"


def _complex_numbers(entry: Entry) -> tuple[int, int, int, int]:
    (a, b), (c, d) = entry["metadata"]["num1"], entry["metadata"]["num2"]
    return int(a), int(b), int(c), int(d)


def _complex_arithmetic(entry: Entry, working: Working) -> str:
    a, b, c, d = _complex_numbers(entry)
    sign = entry["metadata"]["operation"]
    if sign == "*":
        real, imaginary = _complex_product(a, b, c, d, working)
    else:
        parts = []
        for name, left, right in (("real", a, c), ("imaginary", b, d)):
            operator = working.choose("sign", sign, "+" if sign == "-" else "-")
            value = left + right if operator == "+" else left - right
            shown = f"{left} {operator} {signed(right)}"
            parts.append(working.total(f"Work out the {name} part", shown, value))
        real, imaginary = parts
    return f"{real} {'-' if imaginary < 0 else '+'} {abs(imaginary)}i"


def _complex_product(a: int, b: int, c: int, d: int, working: Working) -> tuple[int, int]:
    def times(aim: str, left: int, right: int) -> int:
        return working.compute(
            aim, f"{signed(left)} * {signed(right)}", left * right, product_slips(left, right) or (1, -1)
        )

    first = times("Multiply the two real parts", a, c)
    last = times("Multiply the two imaginary parts", b, d)
    operator = working.choose("rule", "-", "+")  # i * i = -1
    real = first - last if operator == "-" else first + last
    real = working.total("Combine them", f"{first} {operator} {signed(last)}", real)
    outer = times("Multiply the first real part by the second imaginary part", a, d)
    inner = times("Multiply the first imaginary part by the second real part", b, c)
    return real, working.total("Add these two", f"{outer} + {signed(inner)}", outer + inner)


def _complex_check(entry: Entry) -> str:
    a, b, c, d = map(signed, _complex_numbers(entry))
    sign = entry["metadata"]["operation"]
    parts = (
        (f"{a} * {c} - {b} * {d}", f"{a} * {d} + {b} * {c}") if sign == "*" else (f"{a} {sign} {c}", f"{b} {sign} {d}")
    )
    return f"re = {parts[0]}\nim = {parts[1]}\nf'{{re}} - {{-im}}i' if im < 0 else f'{{re}} + {{im}}i'"


_TERM = re.compile(r"([+-]?)(?:(\d+)\*?)?(?:([xX])(?:\*\*(\d+))?)?(?:/(\d+))?")


def _terms(entry: Entry) -> list[tuple[Fraction, int]]:
    """Coefficient and exponent of each term of the integrand, in its order."""
    terms = []
    for piece in re.findall(r"[+-]?[^ +-]+", entry["metadata"]["integrand"].replace("- ", "-")):
        match = _TERM.fullmatch(piece)
        if match is None:
            raise ValueError(f"no term of an integrand: {piece!r}")
        sign, number, unknown, power, divisor = match.groups()
        value = Fraction(int(number or 1), int(divisor or 1)) * (-1 if sign == "-" else 1)
        terms.append((value, int(power or 1) if unknown else 0))
    return terms


def _monomial(coefficient: Fraction, degree: int, unknown: str) -> str:
    power = {0: "", 1: unknown}.get(degree, f"{unknown}**{degree}")
    number = str(abs(coefficient.numerator))
    top = power if power and number == "1" else f"{number}*{power}" if power else number
    bottom = "" if coefficient.denominator == 1 else f"/{coefficient.denominator}"
    return f"{'-' if coefficient < 0 else ''}{top}{bottom}"


def _simple_integration(entry: Entry, working: Working) -> str:
    unknown = entry["metadata"]["variable"]
    answer = ""
    for factor, degree in _terms(entry):
        # A sign is lost in copying and not in integrating, and a slip keeps the denominator: else one could tell from
        # the signs alone, or from a fraction, that something went wrong.
        copied, raised = working.choose("copied sign", factor, -factor), degree + 1
        right = copied / raised
        unit = Fraction(1, right.denominator)
        near = [n for n in (right + unit, right - unit) if n * right > 0 and n.denominator == right.denominator]
        value = working.choose("calculation", right, *(near if len(near) == 2 else []))
        shown, done = _monomial(copied, degree, unknown), _monomial(value, raised, unknown)
        working.note(f"Integrate {shown}", f"{shown} becomes {done}")
        answer += done if not answer else f" - {done[1:]}" if done.startswith("-") else f" + {done}"
    return f"{answer} + C"


def _angles(entry: Entry) -> list[int]:
    return [int(angle) for angle in entry["metadata"]["known_angles"]]


def _simple_geometry(entry: Entry, working: Working) -> str:
    sides, known = entry["metadata"]["n_sides"], _angles(entry)
    whole = working.compute("Find the sum of all interior angles", f"{sides - 2} * 180", (sides - 2) * 180)
    shown = " + ".join(map(str, known))
    part = working.total("Add the known angles", shown, sum(known))
    missing = working.total("Subtract them", f"{whole} - {part}", whole - part)
    if missing not in _ANGLES:
        raise Implausible
    return str(missing)


def _geometry_check(entry: Entry) -> str:
    return f"({entry['metadata']['n_sides']} - 2) * 180 - ({' + '.join(map(str, _angles(entry)))})"


FAMILIES: tuple[Family, ...] = (
    worked_family("algebra", Gym("simple_equations"), _simple_equations, _equation_check, usable=_is_full_equation),
    worked_family(
        "algebra",
        Gym("complex_arithmetic", operations=("+", "-", "*"), operations_weights=(0.25, 0.25, 0.5)),
        _complex_arithmetic,
        _complex_check,
    ),
    worked_family(
        "algebra",
        Gym("simple_integration", max_terms=3, max_degree=4),
        _simple_integration,
        lambda entry: "",
        usable=lambda entry: len(_terms(entry)) > 1,
    ),
    worked_family(
        "algebra",
        Gym("simple_geometry", min_sides=4),
        _simple_geometry,
        _geometry_check,
        usable=lambda entry: int(entry["answer"]) in _ANGLES,
        heldout=True,
    ),
)
