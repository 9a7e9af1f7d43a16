"""Process reward models by the labels that they were trained on: first errors found, and candidates chosen.

Rows are labels, figures are means over seeds with intervals over problems and seeds (`training.figures`).
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from rewardlab.report.frame import DASH, Cell, Column, Frame, decimal, empty, percent
from rewardlab.stats import Interval
from rewardlab.training.figures import Term, by_seed, contrast
from rewardlab.training.finished import TrainedProcess

BASELINE = "mc_hard"
RULES = ("product", "min", "last", "mean")
BESIDE = ("majority", "random", "oracle")  # the same whatever the labels

BySeed = Mapping[int, TrainedProcess]


def by_labels(runs: Sequence[TrainedProcess]) -> dict[str, dict[int, TrainedProcess]]:
    """Runs by labels and seed."""
    found: dict[str, dict[int, TrainedProcess]] = {}
    for run in sorted(runs, key=lambda run: (run.labels != "gold", run.labels, run.seed)):
        found.setdefault(run.labels, {})[run.seed] = run
    return found


def first_errors(runs: Sequence[TrainedProcess]) -> Frame:
    """Quality of the labels and of the first errors that the models name.

    Args:
        runs: At least one; all with the same problems.
    """
    columns = (
        Column("labels", "what the model was trained on", numeric=False),
        Column("kept %", "share of the training solutions that the consensus filter leaves"),
        Column("wrong index %", "share of those whose labels put the first error at a wrong step"),
        Column("F1 at 0.5", "mean over families of ProcessBench's F1 at the threshold 0.5"),
        Column("error/correct", "accuracy on solutions with and without an error, same threshold"),
        Column("F1 at own", "at the threshold that is best on the validation solutions"),
        Column("error/correct", "accuracies at that threshold"),
        Column("SD", "standard deviation of the latter F1 over seeds, in points"),
        Column(f"Δ to {BASELINE}", "of the latter F1, paired, in points"),
    )
    groups = by_labels(runs)
    rows = tuple(_first_errors(of, groups.get(BASELINE, {})) for of in groups.values())
    return Frame("first_errors", "First errors by training labels", _caption(groups), columns, rows)


def chosen_candidates(runs: Sequence[TrainedProcess]) -> Frame:
    """Best-of-n by every readout, beside what needs no process model.

    Args:
        runs: At least one; all with the same problems.
    """
    columns = (
        Column("labels", "what the model was trained on", numeric=False),
        *(Column(f"{rule} %", "right answers, when the candidate with the best readout is chosen") for rule in RULES),
        Column("min at last %", "share of solutions whose least probable step is the last one"),
        Column(f"product: Δ to {BASELINE}", "paired, in points"),
    )
    groups = by_labels(runs)
    rows = [_chosen(of, groups.get(BASELINE, {})) for of in groups.values()]
    some = next(iter(groups.values()))
    for rule in BESIDE:
        value = _cell([Term(1.0, f"best_of_n/{rule}", some)])
        rows.append((Cell(rule), value, *(empty("no readout") for _ in range(len(columns) - 2))))
    caption = "majority: the answer that most candidates give, first of equals; random: a candidate at random."
    return Frame("best_of_n", "Best of n by training labels", f"{caption} {_caption(groups)}", columns, tuple(rows))


def _first_errors(of: BySeed, base: BySeed) -> tuple[Cell, ...]:
    name = next(iter(of.values())).labels
    trace = "; ".join(run.trace for run in of.values())
    cells = [Cell(name, trace=trace), _mean(of, "labels/kept"), _mean(of, "labels/wrong_index")]
    for rule in ("at_0.5", "at_threshold"):
        accuracies = [_mean(of, f"{rule}/{side}_accuracy").text for side in ("error", "correct")]
        cells += [_cell([Term(1.0, f"{rule}/f1", of)]), Cell(" / ".join(accuracies), trace=trace)]
    scores = by_seed(Term(1.0, "at_threshold/f1", of))
    spread = percent(statistics.stdev(scores) if len(scores) > 1 else None, reason="one seed has no spread")
    return (*cells, spread, _against("at_threshold/f1", of, base))


def _chosen(of: BySeed, base: BySeed) -> tuple[Cell, ...]:
    name = next(iter(of.values())).labels
    cells = [_cell([Term(1.0, f"best_of_n/{rule}", of)]) for rule in RULES]
    return (Cell(name), *cells, _mean(of, "min_at_last"), _against("best_of_n/product", of, base))


def _mean(of: BySeed, figure: str) -> Cell:
    return percent(statistics.fmean(by_seed(Term(1.0, figure, of))))


def _against(figure: str, of: BySeed, base: BySeed) -> Cell:
    if of == base or not set(of) & set(base):
        return empty("the baseline" if of == base else "no run of the baseline with the same seed")
    return _cell([Term(1.0, figure, of), Term(-1.0, figure, base)], sign=True)


def _cell(terms: Sequence[Term], sign: bool = False) -> Cell:
    interval: Interval = contrast(terms)
    if interval.point is None:
        return empty(interval.reason)
    text = decimal(100 * interval.point, 1, sign)
    if interval.low is None or interval.high is None:
        return Cell(text, f"[{DASH}]", f"no interval: {interval.reason}", value=100 * interval.point)
    ends = ", ".join(decimal(100 * end, 1, sign) for end in (interval.low, interval.high))
    return Cell(text, f"[{ends}]", value=100 * interval.point)


def _caption(groups: Mapping[str, BySeed]) -> str:
    some = next(iter(groups.values()))
    run = next(iter(some.values()))
    test = [row for row in run.scored if row.part == "test"]
    problems = len({row.problem for row in test})
    commits = sorted({r.commit for of in groups.values() for r in of.values()})
    seeds = sorted({seed for of in groups.values() for seed in of})
    return (
        f"Means over seeds {', '.join(map(str, seeds))}; intervals: two-level bootstrap over {problems} problems "
        f"({len(test)} solutions) within families, then seeds. {len(run.named)} training solutions. "
        f"Backbone {run.identity['method.backbone']}, {run.identity['method.tuning']}. Commit: {', '.join(commits)}."
    )
