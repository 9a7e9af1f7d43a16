from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rewardlab.errors import UserError
from rewardlab.training.figures import FIGURE, Term, by_seed, contrast
from rewardlab.training.process_metrics import final_metrics
from tests.training import processes
from tests.training.processes import trained

RUN = trained("mc_hard", 0, 0.7)
METRICS = final_metrics(RUN.named, RUN.scored)
FIGURES = sorted(name for name in METRICS if FIGURE.fullmatch(name))


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_from_sums_is_that_of_the_metrics(figure: str) -> None:
    assert by_seed(Term(1.0, figure, {0: RUN}))[0] == pytest.approx(METRICS[figure], abs=1e-12)


def test_every_number_over_all_groups_is_a_figure() -> None:
    assert {name for name in METRICS if not re.search(r"/family", name)} - set(FIGURES) == {"threshold"}


def test_a_contrast_is_the_mean_over_seeds_of_the_weighted_sum() -> None:
    good, bad = processes.by_seed("gold", 0.9), processes.by_seed("mc_hard", 0.5)
    terms = [Term(1.0, "at_0.5/f1", good), Term(-0.5, "at_0.5/f1", bad)]
    by_hand = sum(a - 0.5 * b for a, b in zip(by_seed(terms[0]), by_seed(terms[1]), strict=True)) / 5
    found = contrast(terms)
    assert found.point == pytest.approx(by_hand, abs=1e-12) and found.low is not None and found.high is not None
    assert 0 < found.low < by_hand < found.high and found.clusters == 40
    assert found == contrast(terms)


def test_only_shared_seeds_count() -> None:
    good, bad = processes.by_seed("gold", 0.9, 4), processes.by_seed("mc_hard", 0.5, 2)
    terms = [Term(1.0, "labels/wrong_index", good), Term(-1.0, "labels/wrong_index", bad)]
    shared = {seed: good[seed] for seed in (0, 1)}
    assert contrast(terms).point == pytest.approx(contrast([terms[0]._replace(runs=shared), terms[1]]).point)
    with pytest.raises(UserError, match="no seed"):
        contrast([terms[0]._replace(runs={9: good[0]}), terms[1]])


def test_runs_with_other_problems_are_not_compared() -> None:
    other = replace(RUN, scored=tuple(replace(row, problem=f"other {row.problem}") for row in RUN.scored))
    with pytest.raises(UserError, match="different problems"):
        contrast([Term(1.0, "at_0.5/f1", {0: RUN}), Term(-1.0, "at_0.5/f1", {0: other})])


def test_one_seed_has_no_interval() -> None:
    found = contrast([Term(1.0, "best_of_n/min", {0: RUN})])
    assert found.point == METRICS["best_of_n/min"] and found.low is None and found.reason == "one seed"
