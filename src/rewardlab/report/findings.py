"""The main result of a comparison in sentences, made from its numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rewardlab.report.comparison import LEVEL, Arm, Comparison, Difference, Role
from rewardlab.report.frame import decimal
from rewardlab.stats import Interval

BY_POSITION = 0.9  # a judge that takes the first this often is judging the position
MANY = 6  # arms with a model beyond which those that show no difference share a sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one arm, or about several that show the same.

    Attributes:
        arm: Its label, or what the several are called.
        text: What was found.
        holds: Whether it is a difference that survives Holm's correction.
    """

    arm: str
    text: str
    holds: bool


def findings(comparison: Comparison) -> tuple[Finding, ...]:
    """One sentence for each arm with a model, the baseline first; for a comparison without any, for every arm.

    Where there are many arms, those without a difference come last and share a sentence.
    """
    told = [arm for arm in comparison.arms if arm.role is not Role.NO_MODEL] or list(comparison.arms)
    alike = [arm for arm in told if arm.difference and not arm.difference.holds] if len(told) > MANY else []
    shared = {arm.label for arm in alike}
    found = [
        Finding(
            arm.label,
            _sentence(arm, comparison) + _by_position(arm) + _by_tools(arm),
            arm.difference is not None and arm.difference.holds,
        )
        for arm in told
        if arm.label not in shared
    ]
    return (*found, Finding("the others", _shared(alike, comparison), holds=False)) if alike else tuple(found)


def _shared(alike: Sequence[Arm], comparison: Comparison) -> str:
    """One sentence about arms that show no difference."""
    differences = [(arm.label, arm.difference) for arm in alike if arm.difference]
    each = [f"{label} ({_point(difference)})" for label, difference in differences]
    could = [100 * mde for _, difference in differences if (mde := difference.mde.value) is not None]
    detectable = f"; detectable: {decimal(min(could), 1)} to {decimal(max(could), 1)} points" if could else ""
    shown = f"no difference to {comparison.baseline} shown at {LEVEL} after Holm, in points"
    return f"{shown}: {', '.join(each)}{detectable}"


def _point(difference: Difference) -> str:
    point = difference.interval.point
    return "undefined" if point is None else decimal(100 * point, 1, sign=True)


def _sentence(arm: Arm, comparison: Comparison) -> str:
    score = f"{_with_ends(arm.strict)} %, n {arm.strict.n}"
    if arm.role is Role.BASELINE:
        chance = comparison.chance.value
        return f"{score}; the baseline" + (f"; chance is {decimal(100 * chance, 1)} %" if chance is not None else "")
    if arm.difference is None:
        return f"{score}; no baseline to compare with"
    gap = _with_ends(arm.difference.interval, sign=True)
    return f"{score}; {gap} points to {comparison.baseline}: {_verdict(arm.difference)}"


def _by_position(arm: Arm) -> str:
    share = arm.run.first_chosen
    if share is None or share < BY_POSITION:
        return ""
    return f"; it chose the candidate shown first in {decimal(100 * share, 1)} % of its choices"


def _by_tools(arm: Arm) -> str:
    """Whether a judge with a skill took it up, and how often it ran a verifier or code of its own."""
    used = arm.run.metrics["summary"].get("tool_calls_per_judgment", {})
    trigger = arm.run.identity.get("config.judge.trigger")
    if not used or trigger is None:
        return ""
    loaded = f"it loaded its skill in {decimal(100 * used.get('use_skill', 0.0), 0)} % of judgments"
    began = "it began with its skill loaded" if trigger == "always" else loaded
    ran = [f"{decimal(used.get('run_resource', 0.0), 2)} verifiers"]
    if code := used.get("python_sandbox"):
        ran.append(f"{decimal(code, 2)} pieces of code")
    return f"; {began} and ran {' and '.join(ran)} a judgment"


def _verdict(difference: Difference) -> str:
    if difference.adjusted is None:
        return "not tested" + (f" ({difference.test.reason})" if difference.test.reason else "")
    p = "p < 0.001" if difference.adjusted < 0.001 else f"p = {decimal(difference.adjusted, 3)}"
    if difference.holds:
        return f"{'better' if (difference.interval.point or 0) > 0 else 'worse'}, {p} after Holm"
    could = "" if difference.mde.value is None else f"; detectable: {decimal(100 * difference.mde.value, 1)} points"
    return f"no difference shown at {LEVEL}, {p} after Holm{could}"


def _with_ends(interval: Interval, sign: bool = False) -> str:
    if interval.point is None:
        return "undefined"
    point = decimal(100 * interval.point, 1, sign)
    if interval.low is None or interval.high is None:
        return point
    return f"{point} [{decimal(100 * interval.low, 1, sign)}, {decimal(100 * interval.high, 1, sign)}]"
