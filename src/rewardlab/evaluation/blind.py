"""The content-blind floor of a benchmark: what judges that read nothing earn there, under its own two gradings.

The rules are those of `rewardlab.judges.content_blind`. Where a benchmark asks for the first wrong step of a solution,
a rule chooses among the steps instead: the first, the longest, the shortest, one at random, or the first that refuses.
The steps before the chosen one are then called right, the others wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from rewardlab.benchmarks.protocol import Benchmark
from rewardlab.evaluation.grading import strict_values
from rewardlab.evaluation.plan import Presentation, Protocol, make_plan
from rewardlab.judges.content_blind import ContentBlind
from rewardlab.randomness import stream
from rewardlab.stats.estimates import Interval
from rewardlab.stats.intervals import share_interval
from rewardlab.task import Candidate, Form, Setting, Task
from rewardlab.verdict import Judgment, Status, Verdict

RULES = ("first", "longest", "shortest", "random", "refusal")


class BlindRow(NamedTuple):
    """What one rule earns.

    Attributes:
        rule: Its name.
        strict: Strict headline, with its interval where it is a weighted mean of item grades.
        official: Headline under the upstream rule; None where undefined.
    """

    rule: str
    strict: Interval
    official: float | None


class BlindSteps:
    """A content-blind rule for tasks in steps, as a judge."""

    forms = frozenset({Form.STEPS})
    setting = Setting.STANDARD

    def __init__(self, rule: str, seed: int) -> None:
        self.name = rule
        self._rule = ContentBlind(rule, seed)

    def identity(self) -> dict[str, str]:
        """Nothing decides beside the rule."""
        return {}

    async def judge(self, task: Task) -> Verdict:
        """Choose a step as if the steps were candidates; more than 26 of them are met in a knockout of the rule."""
        (candidate,) = task.candidates
        steps = [Candidate(str(i), text) for i, text in enumerate(candidate.steps)]
        while len(steps) > 1:
            shown, rest = steps[:26], steps[26:]
            verdict = await self._rule.judge(Task(f"{task.id}/{len(rest)}", Form.PICK, task.question, tuple(shown)))
            steps = [next(step for step in shown if step.id == verdict.choice), *rest]
        chosen = int(steps[0].id)
        return Verdict(
            Status.OK, first_error=chosen, steps=tuple(float(i < chosen) for i in range(len(candidate.steps)))
        )


def blind_rows(benchmark: Benchmark, protocol: Protocol, seed: int, rules: Sequence[str] = RULES) -> list[BlindRow]:
    """Every rule over the whole benchmark.

    Args:
        benchmark: The benchmark.
        protocol: Whose display orders.
        seed: Seed of the orders, the rules' draws and the bootstrap.
        rules: Which rules.
    """
    steps = any(task.form is Form.STEPS for task in benchmark.tasks(Setting.STANDARD)[:1])
    judges = [(BlindSteps if steps else ContentBlind)(rule, seed) for rule in rules]
    plan = make_plan(benchmark, judges[0], protocol, seed, limit=None, repeats=1)
    return [_row(benchmark, rule, _judged(plan, judge), seed) for rule, judge in zip(rules, judges, strict=True)]


def _judged(plan: Sequence[Presentation], judge: ContentBlind | BlindSteps) -> list[Judgment]:
    async def all_of_them() -> list[Judgment]:
        orders = [tuple(candidate.id for candidate in p.task.candidates) for p in plan]
        return [Judgment(p.task.id, o, 0, await judge.judge(p.task)) for p, o in zip(plan, orders, strict=True)]

    return asyncio.run(all_of_them())


def _row(benchmark: Benchmark, rule: str, judgments: Sequence[Judgment], seed: int) -> BlindRow:
    grades = benchmark.grade(judgments)
    point, official = grades.strict[grades.headline], grades.official[grades.headline]
    clusters = [item.cluster for item in grades.items]
    if not grades.linear:
        bare = Interval(point, None, None, len(grades.items), len(set(clusters)), "no mean of item grades")
        return BlindRow(rule, bare, official)
    weights, rng = [item.weight for item in grades.items], stream(seed, "interval")
    return BlindRow(rule, share_interval(strict_values(grades.items), rng, weights, clusters), official)
