"""Figures of process reward models trained with several seeds, their contrasts, and intervals around both.

A figure is a function of sums over problems (solutions with an error found, candidates chosen that were right, ...), so
problems can be drawn again: within their families, the same draw for every run, because all runs of a contrast have the
same problems. Seeds are drawn too. A contrast is a weighted sum of figures, each the mean over the seeds that all its
terms have; runs of one seed share annotations, initial weights and order of the data, and are compared seed by seed.

The threshold that a run chose on its validation problems is part of the run and is not chosen again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rewardlab.benchmarks.processbench import NO_ERROR, first_failing_step
from rewardlab.errors import UserError
from rewardlab.randomness import stream
from rewardlab.stats import Interval
from rewardlab.stats.bootstrap import two_level_bootstrap
from rewardlab.stats.estimates import FloatArray
from rewardlab.training.finished import TrainedProcess
from rewardlab.training.process_metrics import by_problem, least_is_last, worth

FIGURE = re.compile(
    r"labels/(kept|wrong_index)|min_at_last|at_(0\.5|threshold)/(f1|error_accuracy|correct_accuracy)"
    r"|best_of_n/(product|min|last|mean|majority|random|oracle)"
)

Sums = dict[tuple[str, str], FloatArray]  # group and problem to what the problem adds: (2,) or (4,)


class Term(NamedTuple):
    """A figure in a contrast.

    Attributes:
        weight: Its factor; 1 for a figure by itself.
        figure: Its name, as in metrics.json.
        runs: Seed to run.
    """

    weight: float
    figure: str
    runs: Mapping[int, TrainedProcess]


def contrast(terms: Sequence[Term]) -> Interval:
    """The weighted sum of figures with its 95 % interval.

    Args:
        terms: At least one. Only seeds that all of them have are used.

    Raises:
        UserError: When the runs do not share their problems, or no seed.
    """
    seeds = sorted(set.intersection(*(set(term.runs) for term in terms)))
    if not seeds:
        raise UserError("no seed was run for all parts of this comparison")
    sums = [[problem_sums(term.runs[seed], term.figure) for seed in seeds] for term in terms]
    problems = sorted(sums[0][0])
    if any(sorted(of_run) != problems for of_term in sums for of_run in of_term):
        raise UserError("these training runs have different problems and cannot be compared")
    groups = sorted({group for group, _ in problems})
    stratum = np.array([groups.index(group) for group, _ in problems])
    columns = [np.stack([[of_run[p] for p in problems] for of_run in of_term]) for of_term in sums]  # (S, C, k) each

    def statistic(counts: FloatArray, seed_counts: FloatArray) -> FloatArray:
        total = np.zeros(len(counts))
        for term, values in zip(terms, columns, strict=True):
            by_seed = _figure(term.figure)(_totals(counts, values, stratum))  # (b, S)
            total += term.weight * (by_seed * seed_counts).sum(-1) / seed_counts.sum(-1)
        return total

    ids = sorted({run.run_id for term in terms for run in term.runs.values()})
    rng = stream(0, "contrast", *ids, *(f"{term.weight} {term.figure}" for term in terms))
    return two_level_bootstrap(statistic, stratum, len(seeds), rng, n=len(problems))


def by_seed(term: Term) -> list[float]:
    """A figure of each run, in order of seed."""
    return [_value(term.runs[seed], term.figure) for seed in sorted(term.runs)]


def _value(run: TrainedProcess, figure: str) -> float:
    sums = problem_sums(run, figure)
    groups = sorted({group for group, _ in sums})
    per_group = [np.sum([row for (g, _), row in sums.items() if g == group], axis=0) for group in groups]
    return float(_figure(figure)(np.stack(per_group)))


def _totals(counts: FloatArray, values: FloatArray, stratum: np.ndarray) -> FloatArray:
    """Sums over drawn problems by stratum: (b, C) and (S, C, k) to (b, S, strata, k)."""
    parts = [np.einsum("bc,sck->bsk", counts[:, at], values[:, at], optimize=True) for at in _members(stratum)]
    return np.stack(parts, axis=2)


def _members(stratum: np.ndarray) -> Iterable[np.ndarray]:
    return [np.flatnonzero(stratum == s) for s in range(int(stratum.max()) + 1)]


def _figure(name: str) -> Callable[[FloatArray], FloatArray]:
    """From totals (..., strata, k) to values (...)."""
    kind = name.rpartition("/")[2]
    return {"f1": _f1, "error_accuracy": _error, "correct_accuracy": _correct}.get(kind, _ratio)


def _ratio(totals: FloatArray) -> FloatArray:
    pooled = totals.sum(-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: FloatArray = pooled[..., 1] / pooled[..., 0]
    return shares


def _accuracies(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return totals[..., 1] / totals[..., 0], totals[..., 3] / totals[..., 2]


def _f1(totals: FloatArray) -> FloatArray:
    error, correct = _accuracies(totals)
    both = error + correct
    f1 = np.where(both == 0, 0.0, 2 * error * correct / np.where(both == 0, 1.0, both))
    return _mean(f1)


def _error(totals: FloatArray) -> FloatArray:
    return _mean(_accuracies(totals)[0])


def _correct(totals: FloatArray) -> FloatArray:
    return _mean(_accuracies(totals)[1])


def _mean(by_stratum: FloatArray) -> FloatArray:
    """Over the strata where it is defined."""
    defined = ~np.isnan(by_stratum)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: FloatArray = np.where(defined, by_stratum, 0.0).sum(-1) / defined.sum(-1)
    return means


def problem_sums(run: TrainedProcess, figure: str) -> Sums:
    """What each problem adds to a figure.

    Args:
        run: Where its rows come from.
        figure: A name that FIGURE matches.

    Returns:
        For shares (of, hits); for first errors (with error, found, without error, left alone).
    """
    test = [row for row in run.scored if row.part == "test"]
    if figure.startswith("labels/"):
        pairs = [((row.group, row.problem), _of_labels(row.first_error, row.named, figure)) for row in run.named]
    elif figure == "min_at_last":
        pairs = [((row.group, row.problem), (1.0, float(least_is_last(row)))) for row in test]
    elif figure.startswith("best_of_n/"):
        rule = figure.removeprefix("best_of_n/")
        pairs = [((rows[0].group, name), (1.0, worth(rows)[rule])) for name, rows in by_problem(test).items()]
    else:
        threshold = 0.5 if figure.startswith("at_0.5/") else run.threshold
        pairs = []
        for row in test:
            hit = float(first_failing_step(row.steps, threshold) == row.first_error)
            sums = (0.0, 0.0, 1.0, hit) if row.first_error == NO_ERROR else (1.0, hit, 0.0, 0.0)
            pairs.append(((row.group, row.problem), sums))
    found: defaultdict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    for key, addends in pairs:
        found[key].append(addends)
    return {key: np.sum(addends, axis=0) for key, addends in found.items()}


def _of_labels(first_error: int | None, named: int | None, figure: str) -> tuple[float, ...]:
    if figure == "labels/kept":
        return 1.0, float(named is not None)
    return float(named is not None), float(named is not None and first_error not in (named, None))
