"""Policies trained by RL: what each reward taught, on held-out questions with graders that no training asks.

A run folder holds one policy under one reward and one seed; `rewardlab.policy.grpo` says what its final numbers are.
Over seeds: interquartile mean with a bootstrap of runs within exams, and the probability that a seed of an arm beats
one of the baseline arm (Agarwal et al. 2021, arXiv 2108.13264). The gap, training reward minus what new questions of
the same kind earn part by part, is where reward hacking shows. The training reward itself is no result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rewardlab.errors import BadData
from rewardlab.randomness import stream
from rewardlab.report.frame import Cell, Column, Frame, empty, number, percent, with_interval
from rewardlab.report.learned import LearnedRun
from rewardlab.report.tables.training import configurations
from rewardlab.stats.aggregates import iqm, probability_of_improvement
from rewardlab.stats.intervals import within_shares

BASELINE = "rules"
_LEVELS = ("prompt_strict", "prompt_loose", "instruction_strict", "instruction_loose")


def policies(runs: Sequence[LearnedRun], baseline: str = BASELINE) -> tuple[Frame, ...]:
    """A table for each trained policy and its tasks.

    Args:
        runs: Runs whose `is_policy` is true.
        baseline: The arm that others are compared with.

    Raises:
        BadData: When a run lacks a number that the others of its table have.
    """
    return tuple(_frame(name, of_policy, baseline) for name, of_policy in by_policy(runs).items())


def instruction_exams(runs: Sequence[LearnedRun]) -> Frame | None:
    """What policies do on the prompts of IFEval and IFBench; None where these were not asked.

    Args:
        runs: Runs of one policy on the same tasks.
    """
    exams = sorted({name.split("/")[0] for run in runs for name in run.metrics["final"] if name.endswith(_LEVELS[0])})
    if not exams:
        return None
    columns = (
        Column("reward", "the reward: the arm", numeric=False),
        Column("seeds"),
        *(Column(f"{exam} {level.replace('_', ', ')} %") for exam in exams for level in _LEVELS),
    )
    rows = []
    for arm, of_arm in arms(runs).items():
        trace = "; ".join(run.trace for run in of_arm)
        found = (_mean(of_arm, "final", f"{exam}/{level}") for exam in exams for level in _LEVELS)
        cells = (percent(value, reason="not asked", trace=trace) for value in found)
        rows.append((Cell(arm, trace=trace), number(len(of_arm), 0, trace=trace), *cells))
    policy = _name(runs[0])
    caption = (
        f"Policy {policy}. Prompts all of whose instructions are followed, and single instructions, by the official "
        f"strict and loose rules. Means over seeds. {_commits(runs)}"
    )
    title = f"Instruction following: {policy}"
    return Frame(f"instruction-exams-{policy.replace(' ', '-')}", title, caption, columns, tuple(rows))


def by_policy(runs: Sequence[LearnedRun]) -> dict[str, list[LearnedRun]]:
    """Runs by policy and tasks, sorted."""
    found: dict[str, list[LearnedRun]] = {}
    for run in runs:
        found.setdefault(_name(run), []).append(run)
    return dict(sorted(found.items()))


def _name(run: LearnedRun) -> str:
    return f"{run.metrics['data']['policy']} on {run.metrics['data']['tasks']}"


def _commits(runs: Sequence[LearnedRun]) -> str:
    return f"Commits: {', '.join(sorted({run.commit for run in runs}))}."


def arms(runs: Sequence[LearnedRun]) -> dict[str, list[LearnedRun]]:
    """Runs by reward, each sorted by seed; where a reward was used in several ways, by what tells them apart too."""
    by_reward: dict[str, list[LearnedRun]] = {}
    for run in runs:
        by_reward.setdefault(run.metrics["data"]["reward"], []).append(run)
    found: dict[str, list[LearnedRun]] = {}
    for reward, of_reward in sorted(by_reward.items()):
        ways = configurations(of_reward)
        found |= {reward if len(ways) == 1 else f"{reward}, {way}": of_way for way, of_way in ways.items()}
    return found


def _frame(policy: str, runs: Sequence[LearnedRun], baseline: str) -> Frame:
    columns = (
        Column("reward", "the reward: the arm", numeric=False),
        Column("seeds"),
        Column("held-out % [95 % CI]", "interquartile mean over seeds and exams of what graders find right"),
        Column(f"P(better than {baseline}) %", "chance that a seed of the arm beats one of the baseline on an exam"),
        Column("reward %", "what the training reward says of training questions after the last step; no result"),
        Column("share %", "of all that new questions of the same kind ask for, what graders find done"),
        Column("gap", "reward minus share, in points: where reward hacking shows"),
        Column("words", "length of an answer to a new question"),
        Column("entropy", "nats a token, in the last rollouts"),
        Column("zero-variance %", "groups all of whose rewards were equal, over the whole training"),
        Column("masked %", "rollouts without a reward, over the whole training"),
        Column("judge calls", "of a training"),
        Column("judge tokens", "of these calls, sent and received"),
        Column("runs", brief=False, numeric=False),
    )
    found = arms(runs)
    exams = sorted({exam for run in runs for exam in _exams(run)})
    rows = tuple(_row(arm, of_arm, found.get(baseline, []), exams) for arm, of_arm in found.items())
    steps = ", ".join(map(str, sorted({int(run.metrics["steps"]) for run in runs})))
    caption = (
        f"Policy {policy}, {steps} steps. Held-out: right answers in the exams {', '.join(exams)}, interquartile mean "
        "over seeds and exams with a 95 % bootstrap interval of seeds within exams. P: probability that a seed of the "
        f"arm beats one of {baseline}, ties half. The rest: means over seeds. {_commits(runs)}"
    )
    return Frame(f"policy-{policy.replace(' ', '-')}", f"RL: {policy}", caption, columns, rows)


def _row(arm: str, runs: Sequence[LearnedRun], base: Sequence[LearnedRun], exams: Sequence[str]) -> tuple[Cell, ...]:
    trace = "; ".join(run.trace for run in runs)
    rollouts = _mean(runs, "final", "rollouts")
    blind = _mean(runs, "final", "zero_variance") == 1.0  # a reward that is always the same promises nothing

    def mean(part: str, name: str, digits: int) -> Cell:
        return number(_mean(runs, part, name), digits, reason="not logged", trace=trace)

    def share(name: str, sign: bool = False) -> Cell:
        return percent(_mean(runs, "final", name), sign, reason="not logged", trace=trace)

    calls = (_mean(runs, "final", f"judge_{side}_tokens") or 0.0 for side in ("prompt", "completion"))
    masked = math.fsum(v for run in runs for k, v in run.metrics["final"].items() if k.startswith("masked/"))
    return (
        Cell(arm, trace=trace),
        number(len(runs), 0, trace=trace),
        with_interval(within_shares(iqm(_scores(runs, exams), stream(0, "policy", arm))), trace=trace),
        _improvement(arm, runs, base, exams, trace),
        share("train/reward"),
        share("test/share"),
        empty("it tells nothing apart", trace) if blind else share("gap", sign=True),
        mean("final", "test/length", 1),
        mean("last", "train/entropy", 2),
        share("zero_variance"),
        percent(masked / len(runs) / rollouts if rollouts else None, reason="no rollouts", trace=trace),
        number(_mean(runs, "final", "judge_calls") or 0.0, 0, trace=trace),
        number(math.fsum(calls), 0, trace=trace),
        Cell(", ".join(run.run_id for run in runs)),
    )


def _improvement(
    arm: str, runs: Sequence[LearnedRun], base: Sequence[LearnedRun], exams: Sequence[str], trace: str
) -> Cell:
    if not base:
        return empty("the baseline was not run", trace)
    if base == runs:
        return empty("the baseline")
    rng = stream(0, "policy", arm, "improvement")
    found = probability_of_improvement(_scores(runs, exams), _scores(base, exams), rng)
    return with_interval(found, trace=f"{trace}; {'; '.join(run.trace for run in base)}")


def _exams(run: LearnedRun) -> list[str]:
    """The exams on questions that were not trained on."""
    names = (name.split("/") for name in run.metrics["final"])
    return [name[0] for name in names if name[1:] == ["accuracy"] and name[0] != "train"]


def _scores(runs: Sequence[LearnedRun], exams: Sequence[str]) -> list[list[float]]:
    """A line a seed, a column an exam."""
    for run in runs:
        for missing in set(exams) - set(_exams(run)):
            raise BadData(str(run.folder / "metrics.json"), 0, f"final.{missing}/accuracy", "is missing")
    return [[float(run.metrics["final"][f"{exam}/accuracy"]) for exam in exams] for run in runs]


def _mean(runs: Sequence[LearnedRun], part: str, name: str) -> float | None:
    """Over seeds; None where a run has no such number."""
    found = [run.metrics[part].get(name) for run in runs]
    known = [float(value) for value in found if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(found) else None
