"""The verdict on a prediction about trained policies.

A run stands for an entry of `trainings` when its identity has the fields that the entry fixes. Runs of one seed share
prompts, initial weights and the order of the data, so a contrast is taken seed by seed, and its mean over seeds has
Student's interval. Questions are not drawn again: the interval speaks of other seeds on the same questions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rewardlab.claims.effect import Effect
from rewardlab.claims.registry import PolicyPrediction, Training
from rewardlab.claims.ruling import AnyRun, Ruling, State, within_range
from rewardlab.stats.intervals import clustered_mean


class PolicyRun(AnyRun, Protocol):
    """A finished training of a policy."""

    @property
    def identity(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def seed(self) -> int: ...  # noqa: D102

    @property
    def metrics(self) -> Mapping[str, Any]: ...  # noqa: D102


def policy_verdict(claim: PolicyPrediction, runs: Sequence[PolicyRun]) -> Ruling:
    """The verdict of finished trainings on a prediction.

    Args:
        claim: The prediction.
        runs: Any finished trainings of policies.
    """
    terms: list[tuple[float, str, dict[int, PolicyRun]]] = []
    for part in claim.terms:
        fitting = [run for run in runs if _fits(part.training, run) and part.figure in run.metrics["final"]]
        by_seed = {run.seed: run for run in fitting}
        if len(by_seed) < len(fitting):
            why = f"several runs of one seed stand for {part.training.id}"
            return Ruling(claim, State.INCONCLUSIVE, why, runs=tuple(fitting))
        if not by_seed:
            return Ruling(claim, State.NOT_RUN, f"needs {part.training.id}: {claim.experiment}")
        terms.append((part.weight, part.figure, by_seed))
    seeds = sorted(set.intersection(*(set(of) for _, _, of in terms)))
    chosen = tuple({of[seed].run_id: of[seed] for _, _, of in terms for seed in seeds}.values())
    if len(seeds) < claim.seeds:
        why = f"{len(seeds)} seeds, where {claim.seeds} were planned: {claim.experiment}"
        return Ruling(claim, State.INCONCLUSIVE, why, runs=chosen)
    sums = [math.fsum(weight * of[seed].metrics["final"][figure] for weight, figure, of in terms) for seed in seeds]
    return within_range(claim, Effect(clustered_mean(sums), None), chosen)


def policy_verdicts(claims: Sequence[PolicyPrediction], runs: Sequence[PolicyRun]) -> tuple[Ruling, ...]:
    """The verdict on each of several predictions, in their order."""
    return tuple(policy_verdict(claim, runs) for claim in claims)


def _fits(training: Training, run: PolicyRun) -> bool:
    return all(run.identity.get(field) == value for field, value in training.identity.items())
