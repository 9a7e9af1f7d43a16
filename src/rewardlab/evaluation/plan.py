"""Which tasks are judged, in which display orders, how often.

`limit` counts examples and takes a seeded sample that keeps the shares of the strata, never the head of the file. The
order of candidates comes from (seed, benchmark, task id, purpose) or, under the released protocol, from what the
released code shows. Presentations of one example stay together, because they share a prompt prefix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from rewardlab.benchmarks.protocol import Benchmark, Place
from rewardlab.errors import UserError
from rewardlab.judges.protocol import Judge
from rewardlab.randomness import stream
from rewardlab.task import Form, Task
from rewardlab.verdict import presentation_key


class Protocol(StrEnum):
    """Whose rules a run follows."""

    AUDITED = "audited"  # both orders of a pair, a seeded order otherwise
    RELEASED = "released"  # the orders of the paper's released code


class Presentation(NamedTuple):
    """One judgment to make: a task in the order in which it is shown, and which repeat it is."""

    task: Task
    repeat: int

    @property
    def key(self) -> str:
        """The key of the row that it becomes."""
        return presentation_key(self.task.id, tuple(c.id for c in self.task.candidates), self.repeat)


def sample_examples(places: Mapping[str, Place], limit: int | None, seed: int, benchmark: str) -> set[str]:
    """Choose examples, stratified.

    Args:
        places: Task id to its place.
        limit: How many examples; None for all.
        seed: The run's seed.
        benchmark: Names the stream.

    Returns:
        Example ids. Every stratum gets its share, rounded so that the shares add up (largest remainder); examples are
        drawn within a stratum, and a larger limit contains every smaller one's examples of a stratum.
    """
    strata: dict[str, list[str]] = {}
    for place in places.values():
        members = strata.setdefault(place.stratum, [])
        if not members or members[-1] != place.example:
            members.append(place.example)
    strata = {name: sorted(set(members)) for name, members in sorted(strata.items())}
    total = sum(len(members) for members in strata.values())
    if limit is None or limit >= total:
        return {example for members in strata.values() for example in members}
    if limit < 1:
        raise UserError(f"limit={limit} asks for no example; leave limit out for all of them")
    exact = {name: limit * len(members) / total for name, members in strata.items()}
    take = {name: math.floor(share) for name, share in exact.items()}
    # Equal remainders are told apart by a seeded draw, or the first strata by name would always win.
    draw = dict(zip(strata, stream(seed, benchmark, "strata").random(len(strata)), strict=True))
    by_remainder = sorted(strata, key=lambda name: (take[name] - exact[name], draw[name]))
    for name in by_remainder[: limit - sum(take.values())]:
        take[name] += 1
    chosen: set[str] = set()
    for name, members in strata.items():
        order = stream(seed, benchmark, "limit", name).permutation(len(members))
        chosen.update(members[i] for i in order[: take[name]])
    return chosen


def display_orders(task: Task, benchmark: Benchmark, protocol: Protocol, seed: int) -> list[tuple[str, ...]]:
    """The orders in which a task's candidates are shown: both of a pair, else one drawn from the seed."""
    if protocol is Protocol.RELEASED:
        return list(benchmark.released_order(task.id))
    ids = sorted(c.id for c in task.candidates)
    shuffled = tuple(ids[i] for i in stream(seed, benchmark.name, task.id, "display order").permutation(len(ids)))
    return [shuffled, shuffled[::-1]] if task.form is Form.PAIR else [shuffled]


def make_plan(
    benchmark: Benchmark, judge: Judge, protocol: Protocol, seed: int, limit: int | None, repeats: int
) -> list[Presentation]:
    """Everything that a run judges.

    Raises:
        UserError: When the judge cannot answer a form that the benchmark asks for.
    """
    places = benchmark.places()
    examples = sample_examples(places, limit, seed, benchmark.name)
    tasks = [task for task in benchmark.tasks(judge.setting) if places[task.id].example in examples]
    _refuse_unfit(tasks, judge, benchmark)
    tasks.sort(key=lambda task: places[task.id].example)
    return [
        Presentation(shown, repeat)
        for task in tasks
        for order in display_orders(task, benchmark, protocol, seed)
        for shown in [task.in_order(order)]  # one object for all repeats
        for repeat in range(repeats)
    ]


def _refuse_unfit(tasks: Sequence[Task], judge: Judge, benchmark: Benchmark) -> None:
    unfit = {task.form for task in tasks} - judge.forms
    if unfit:
        asked, able = (", ".join(sorted(f.value for f in forms)) for forms in (unfit, judge.forms))
        raise UserError(f"judge {judge.name} answers {able}; benchmark {benchmark.name} asks for {asked}")
