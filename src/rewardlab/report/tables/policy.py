"""Policies trained by RL: what each reward method taught, on held-out tasks that check themselves.

A run folder holds one policy under one reward method and one seed. Its metrics.json:

    policy, method    what was trained, and the reward method: the arm
    steps             optimiser steps
    before, held_out  task to verifiable accuracy in [0, 1] on held-out prompts, before the first step and after the
                      last one
    last              means over the last steps: training `reward` in [0, 1], completion `length` in tokens, `entropy`
                      in nats a token, and the shares `zero_variance` (of groups) and `failed` (of rollouts)
    cost              of the whole run: reward `calls`, their `tokens`, and `seconds`

and its curve.jsonl has train/reward, train/length, train/entropy, train/zero_variance and validation/accuracy by step.

Over seeds: interquartile mean with a bootstrap of runs within tasks, and the probability that a seed of an arm beats
one of the baseline arm (Agarwal et al. 2021, arXiv 2108.13264). The gap, training reward minus held-out accuracy, is
where reward hacking shows. The training reward itself is no result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from rewardlab.errors import BadData
from rewardlab.randomness import stream
from rewardlab.report.frame import Cell, Column, Frame, empty, number, percent, with_interval
from rewardlab.report.learned import LearnedRun
from rewardlab.stats import Interval
from rewardlab.stats.aggregates import iqm, probability_of_improvement

BASELINE = "rules"


def policies(runs: Sequence[LearnedRun], baseline: str = BASELINE) -> tuple[Frame, ...]:
    """A table for each trained policy.

    Args:
        runs: Runs whose metrics have a `policy`.
        baseline: The arm that others are compared with.

    Raises:
        BadData: When a run lacks a number of the layout.
    """
    by_policy: dict[str, list[LearnedRun]] = {}
    for run in runs:
        by_policy.setdefault(run.metrics["policy"], []).append(run)
    return tuple(_frame(policy, of_policy, baseline) for policy, of_policy in sorted(by_policy.items()))


def arms(runs: Sequence[LearnedRun]) -> dict[str, list[LearnedRun]]:
    """Runs by reward method, sorted by name, each sorted by seed."""
    found: dict[str, list[LearnedRun]] = {}
    for run in sorted(runs, key=lambda run: (run.metrics["method"], run.seed)):
        found.setdefault(run.metrics["method"], []).append(run)
    return found


def _frame(policy: str, runs: Sequence[LearnedRun], baseline: str) -> Frame:
    columns = (
        Column("reward", "the reward method: the arm", numeric=False),
        Column("seeds"),
        Column("held-out % [95 % CI]", "interquartile mean over seeds and tasks of verifiable accuracy"),
        Column(f"P(better than {baseline}) %", "chance that a seed of the arm beats one of the baseline on a task"),
        Column("reward %", "mean training reward over the last steps; no result in itself"),
        Column("gap", "training reward minus held-out accuracy, in points: reward hacking shows here"),
        Column("length", "tokens of a completion over the last steps"),
        Column("entropy", "nats a token over the last steps"),
        Column("zero-variance %", "groups whose rewards were all equal, over the last steps"),
        Column("failed %", "rollouts whose reward failed and was masked", brief=False),
        Column("calls", "reward calls of a run"),
        Column("tokens", "tokens of these calls"),
        Column("seconds", "of a run", brief=False),
        Column("runs", brief=False, numeric=False),
    )
    found = arms(runs)
    tasks = sorted({task for run in runs for task in _part(run, "held_out")})
    rows = [_untrained(runs, tasks, len(columns))]
    rows += [_row(arm, of_arm, found.get(baseline, []), tasks) for arm, of_arm in found.items()]
    commits = ", ".join(sorted({run.commit for run in runs}))
    steps = ", ".join(map(str, sorted({int(run.metrics["steps"]) for run in runs})))
    caption = (
        f"Policy {policy}, {steps} steps. Held-out: verifiable accuracy on {', '.join(tasks)}, interquartile mean over "
        "seeds and tasks with a 95 % bootstrap interval of seeds within tasks. P: probability that a seed of the arm "
        f"beats one of {baseline}, ties half. Reward, length, entropy, zero variance: means over the last steps and "
        f"over seeds. Commits: {commits}."
    )
    return Frame(f"policy-{policy}", f"RL: {policy}", caption, columns, tuple(rows))


def _untrained(runs: Sequence[LearnedRun], tasks: Sequence[str], length: int) -> tuple[Cell, ...]:
    """The policy before its first step, under whatever reward: what training is read against."""
    scores = [_scores(run, "before", tasks) for run in runs]
    # Runs of one seed begin with one policy, so they are one run here.
    distinct = list({(run.seed, *score): score for run, score in zip(runs, scores, strict=True)}.values())
    trace = "; ".join(run.trace for run in runs)
    held_out = with_interval(iqm(distinct, stream(0, "policy", "before")), trace=trace)
    rest = [empty("not trained")] * (length - 3)
    return (Cell("untrained"), number(len({run.seed for run in runs}), 0), held_out, *rest)


def _row(arm: str, runs: Sequence[LearnedRun], base: Sequence[LearnedRun], tasks: Sequence[str]) -> tuple[Cell, ...]:
    trace = "; ".join(run.trace for run in runs)
    scores = [_scores(run, "held_out", tasks) for run in runs]
    reward = _mean(runs, lambda run: _number(run, "last", "reward"))
    held_out = math.fsum(sum(row) / len(row) for row in scores) / len(scores)

    def mean(part: str, name: str) -> float:
        return _mean(runs, lambda run: _number(run, part, name))

    return (
        Cell(arm, trace=trace),
        number(len(runs), 0, trace=trace),
        with_interval(iqm(scores, stream(0, "policy", arm)), trace=trace),
        _improvement(arm, scores, base, tasks, trace),
        percent(reward, trace=trace),
        percent(reward - held_out, sign=True, trace=trace),
        number(mean("last", "length"), 1, trace=trace),
        number(mean("last", "entropy"), 2, trace=trace),
        percent(mean("last", "zero_variance"), trace=trace),
        percent(mean("last", "failed"), trace=trace),
        number(mean("cost", "calls"), 0, trace=trace),
        number(mean("cost", "tokens"), 0, trace=trace),
        number(mean("cost", "seconds"), 0, trace=trace),
        Cell(", ".join(run.run_id for run in runs)),
    )


def _improvement(
    arm: str, scores: Sequence[Sequence[float]], base: Sequence[LearnedRun], tasks: Sequence[str], trace: str
) -> Cell:
    if not base:
        return empty("the baseline was not run", trace)
    if base[0].metrics["method"] == arm:
        return empty("the baseline")
    theirs = [_scores(run, "held_out", tasks) for run in base]
    found: Interval = probability_of_improvement(scores, theirs, stream(0, "policy", arm, "improvement"))
    return with_interval(found, trace=f"{trace}; {'; '.join(run.trace for run in base)}")


def _scores(run: LearnedRun, part: str, tasks: Sequence[str]) -> list[float]:
    return [_number(run, part, task) for task in tasks]


def _mean(runs: Sequence[LearnedRun], of: Callable[[LearnedRun], float]) -> float:
    return math.fsum(map(of, runs)) / len(runs)


def _number(run: LearnedRun, part: str, name: str) -> float:
    found = _part(run, part)
    if name not in found:
        raise BadData(str(run.folder / "metrics.json"), 0, f"{part}.{name}", "is missing")
    return float(found[name])


def _part(run: LearnedRun, part: str) -> Mapping[str, float]:
    found: Mapping[str, float] = run.metrics.get(part, {})
    return found
