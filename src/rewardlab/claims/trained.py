"""The verdict on a prediction about trained process reward models.

A training run stands for an entry of `trainings` when its identity has the fields that the entry fixes. The runs of one
entry may differ in their seed alone; where two runs have the same seed nothing says which one is meant, and the claim
stays open.
"""

from __future__ import annotations

from collections.abc import Sequence

from rewardlab.claims.effect import Effect
from rewardlab.claims.registry import TrainedPrediction, Training
from rewardlab.claims.ruling import Ruling, State, within_range
from rewardlab.training.figures import Term, contrast
from rewardlab.training.finished import TrainedProcess


def trained_verdict(claim: TrainedPrediction, runs: Sequence[TrainedProcess]) -> Ruling:
    """The verdict of finished training runs on a prediction.

    Args:
        claim: The prediction.
        runs: Any finished training runs.

    Raises:
        UserError: When the runs that fit have different problems.
    """
    terms: list[Term] = []
    for part in claim.terms:
        fitting = [run for run in runs if _fits(part.training, run)]
        by_seed = {run.seed: run for run in fitting}
        if len(by_seed) < len(fitting):
            why = f"several training runs of one seed stand for {part.training.id}"
            return Ruling(claim, State.INCONCLUSIVE, why, runs=tuple(fitting))
        if not by_seed:
            return Ruling(claim, State.NOT_RUN, f"needs {part.training.id}: {claim.experiment}")
        terms.append(Term(part.weight, part.figure, by_seed))
    seeds = set.intersection(*(set(term.runs) for term in terms))
    chosen = tuple({run.run_id: run for term in terms for seed, run in term.runs.items() if seed in seeds}.values())
    if len(seeds) < claim.seeds:
        why = f"{len(seeds)} seeds, where {claim.seeds} were planned: {claim.experiment}"
        return Ruling(claim, State.INCONCLUSIVE, why, runs=chosen)
    return within_range(claim, Effect(contrast(terms), None), chosen)


def trained_verdicts(claims: Sequence[TrainedPrediction], runs: Sequence[TrainedProcess]) -> tuple[Ruling, ...]:
    """The verdict on each of several predictions, in their order."""
    return tuple(trained_verdict(claim, runs) for claim in claims)


def _fits(training: Training, run: TrainedProcess) -> bool:
    return all(run.identity.get(field) == value for field, value in training.identity.items())
