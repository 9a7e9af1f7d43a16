"""The verdict on a claim: what our runs show about it, or why they show nothing.

A reported number is reproduced when it lies inside the 95 % interval of a run of the same model, setting, data and
protocol over all items, and contradicted when it lies outside. A prediction is reproduced when the 95 % interval of the
effect lies wholly within the predicted range, contradicted when wholly outside, and inconclusive when it does neither:
then the smallest distance that the run could have found stands beside it, for a wide interval proves nothing.

A run of another model, data set, protocol or arm decides nothing. Where several runs fit, they must agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Protocol

from rewardlab.claims.effect import Effect, difference, figure, mean_of, official
from rewardlab.claims.needs import Need, needs
from rewardlab.claims.registry import Claim, OwnPrediction, Predicted, Prediction, Reported
from rewardlab.evaluation.finished import FinishedRun
from rewardlab.stats import Estimate


class AnyRun(Protocol):
    """A finished run of any kind."""

    @property
    def run_id(self) -> str: ...  # noqa: D102

    @property
    def trace(self) -> str: ...  # noqa: D102


class State(StrEnum):
    """What our runs say about a claim."""

    REPRODUCED = "reproduced"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not run"
    OTHER_SETTING = "other setting"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on one claim.

    Attributes:
        claim: The claim.
        state: What our runs say about it.
        why: The reason in words: what was compared, what is missing, or how the settings differ.
        effect: What the runs show; None where no run fits.
        detectable: For an inconclusive claim, the smallest distance that would have been found with power 0.8.
        runs: The runs that it rests on, or that come nearest.
    """

    claim: Claim
    state: State
    why: str
    effect: Effect | None = None
    detectable: Estimate | None = None
    runs: tuple[AnyRun, ...] = ()


def verdict(claim: Reported | Prediction, runs: Sequence[FinishedRun]) -> Ruling:
    """The verdict of finished runs on a claim.

    Args:
        claim: A reported number or a prediction.
        runs: Any finished runs.

    Returns:
        Never a judgment from a run that differs from what the claim says in model, setting, data, protocol or arm.
    """
    needed = needs(claim)
    if not needed:
        return Ruling(claim, State.NOT_RUN, _lacking(claim))
    if not all(need.fitting(runs) for need in needed):
        return _without_runs(claim, needed, runs)
    together = [chosen for chosen in product(*(need.fitting(runs) for need in needed)) if _alike(claim, chosen)]
    if not together:
        return Ruling(claim, State.NOT_RUN, f"the arms judged different data; run them together: {needed[0].command}")
    rulings = [_decided(claim, chosen) for chosen in together]
    states = {ruling.state for ruling in rulings}
    if len(states) > 1:
        said = "; ".join(f"{_ids(ruling.runs)}: {ruling.state}" for ruling in rulings)
        return Ruling(claim, State.INCONCLUSIVE, f"runs disagree ({said})", runs=together[0])
    return rulings[0]


def verdicts(claims: Sequence[Reported | Prediction], runs: Sequence[FinishedRun]) -> tuple[Ruling, ...]:
    """The verdict on each of several claims, in their order."""
    return tuple(verdict(claim, runs) for claim in claims)


def _alike(claim: Reported | Prediction, chosen: Sequence[FinishedRun]) -> bool:
    """Whether runs may be compared item by item; runs whose mean is taken need not be alike."""

    def data(run: FinishedRun) -> dict[str, str]:
        return {field: value for field, value in run.identity.items() if field.startswith("data.") or field == "seed"}

    return isinstance(claim, Reported) or all(data(run) == data(chosen[0]) for run in chosen)


def _decided(claim: Reported | Prediction, chosen: tuple[FinishedRun, ...]) -> Ruling:
    if isinstance(claim, Reported):
        return _on_reported(claim, chosen)
    return _on_prediction(claim, chosen)


def _on_reported(claim: Reported, chosen: tuple[FinishedRun, ...]) -> Ruling:
    effects = [official(run, data.metric) for run, data in zip(chosen, claim.data, strict=True)]
    effect = effects[0] if len(effects) == 1 else mean_of(effects)
    beside = "".join(
        [
            f"; source {claim.trust}",
            f"; {claim.arm.differs}" if claim.arm and claim.arm.differs else "",
            f"; protocol faults {', '.join(fault.id for fault in claim.faults)}" if claim.faults else "",
        ]
    )
    low, high = effect.interval.low, effect.interval.high
    if low is None or high is None:
        why = f"no interval: {effect.interval.reason}{beside}"
        return Ruling(claim, State.INCONCLUSIVE, why, effect, effect.detectable(claim.share), chosen)
    inside = low <= claim.share <= high
    why = f"the reported value lies {'inside' if inside else 'outside'} our 95 % interval{beside}"
    return Ruling(claim, State.REPRODUCED if inside else State.CONTRADICTED, why, effect, runs=chosen)


def _on_prediction(claim: Prediction, chosen: tuple[FinishedRun, ...]) -> Ruling:
    arm, *base = chosen
    effect = difference(arm, base[0], claim.metric) if base else figure(arm, claim.metric)
    return within_range(claim, effect, chosen)


def within_range(claim: OwnPrediction, effect: Effect, chosen: tuple[AnyRun, ...]) -> Ruling:
    """The verdict of an effect on a predicted range.

    Args:
        claim: The prediction.
        effect: What the runs show.
        chosen: The runs.
    """
    predicted, interval = claim.predicted, effect.interval
    if interval.n < claim.n:
        why = f"{interval.n} items, where {claim.n} were planned"
        return Ruling(claim, State.INCONCLUSIVE, why, effect, _distance(effect, predicted), chosen)
    if interval.low is None or interval.high is None:
        why = f"no interval: {interval.reason}"
        return Ruling(claim, State.INCONCLUSIVE, why, effect, _distance(effect, predicted), chosen)
    low = float("-inf") if predicted.low is None else predicted.low
    high = float("inf") if predicted.high is None else predicted.high
    if low <= interval.low and interval.high <= high:
        return Ruling(claim, State.REPRODUCED, "our 95 % interval lies within the predicted range", effect, runs=chosen)
    if interval.high < low or high < interval.low:
        why = f"our 95 % interval lies outside the predicted range{_sign(predicted, interval.low, interval.high)}"
        return Ruling(claim, State.CONTRADICTED, why, effect, runs=chosen)
    why = f"our 95 % interval crosses an end of the predicted range{_sign(predicted, interval.low, interval.high)}"
    return Ruling(claim, State.INCONCLUSIVE, why, effect, _distance(effect, predicted), chosen)


def _sign(predicted: Predicted, low: float, high: float) -> str:
    """Whether at least the sign holds, where the range predicts one."""
    holds = (predicted.low is not None and predicted.low > 0 and low > 0) or (
        predicted.high is not None and predicted.high < 0 and high < 0
    )
    return "; the sign is as predicted, the size is not shown" if holds else ""


def _distance(effect: Effect, predicted: Predicted) -> Estimate:
    """What could have been found, measured from the end of the predicted range that is nearest to the effect."""
    ends = [end for end in (predicted.low, predicted.high) if end is not None]
    point = effect.interval.point
    return effect.detectable(ends[0] if point is None else min(ends, key=lambda end: abs(end - point)))


def _lacking(claim: Reported | Prediction) -> str:
    assert isinstance(claim, Reported)
    behind = f" with {claim.backbone}" if claim.backbone else ""
    wanted = f"needs {claim.method}{behind}, setting {claim.setting}, on {claim.benchmark}"
    return f"{wanted}; nothing here stands for that arm yet"


def _without_runs(claim: Reported | Prediction, needed: Sequence[Need], runs: Sequence[FinishedRun]) -> Ruling:
    missing = [need for need in needed if not need.fitting(runs)]
    near = [related[0] for need in missing if (related := need.related(runs))]
    if len(near) < len(missing):
        return Ruling(claim, State.NOT_RUN, "; ".join(dict.fromkeys(_what(need) for need in missing)))
    said = "; ".join(_apart(need, run) for need, run in zip(missing, near, strict=True))
    return Ruling(claim, State.OTHER_SETTING, said, runs=tuple({run.run_id: run for run in near}.values()))


def _what(need: Need) -> str:
    model = f"model {need.model}" if need.model else "no model"
    return f"needs {model}, data {need.data.benchmark}: {need.command}"


def _apart(need: Need, run: FinishedRun) -> str:
    found = need.differences(run)
    wanted, ours = (", ".join(f"{name} {_short(pair[i])}" for name, pair in found.items()) for i in (0, 1))
    return f"claimed: {wanted}; run {run.run_id}: {ours}"


def _short(value: str) -> str:
    """A hash, or a choice of hashes, by its first digits."""
    return " or ".join(part[:8] if len(part) == 64 else part for part in value.split(" or "))


def _ids(runs: Sequence[AnyRun]) -> str:
    return ", ".join(run.run_id for run in runs)
