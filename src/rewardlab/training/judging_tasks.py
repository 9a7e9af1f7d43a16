"""Tasks to tune a judge on: as a benchmark shows them to a judge, and beside each what only rejection may know.

The tasks are those of the benchmark `verifiable` itself, train split to train and dev split to validate, so a tuned
judge meets at test time what it met in training, with other questions. Families take turns, so that the first n tasks
hold every family alike; arms with other budgets see the beginning of the same sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.randomness import stream
from rewardlab.task import Form, Setting, Task


class Posed(NamedTuple):
    """A task as one judge gets it.

    Attributes:
        task: In the display order that is shown.
        setting: Whose resources the task has.
        family: For numbers by family.
        right: Ids of the right candidates; never shown.
    """

    task: Task
    setting: Setting
    family: str
    right: frozenset[str]


class JudgingTasks(NamedTuple):
    """Tasks of one source.

    Attributes:
        name: Of the source.
        train: To train on, in the order in which a smaller budget takes its share.
        validation: To measure on; none of their questions is in `train`.
    """

    name: str
    train: tuple[Posed, ...]
    validation: tuple[Posed, ...]


def verifiable(
    per_family: int, validation_per_family: int, seed: int, families: Sequence[str], pick: float, resource: float
) -> JudgingTasks:
    """Tasks of the benchmark `verifiable`, each example once.

    Args:
        per_family: Training examples of each family.
        validation_per_family: Validation examples of each family.
        seed: Which examples, and all draws; 0 to 99.
        families: Names of the families.
        pick: Share of examples shown as one right candidate among four, and not as a pair.
        resource: Share of examples shown with their resources, the reference answer among them.

    Raises:
        UnknownName: When there is no such family.
    """

    def posed(split: str, count: int) -> tuple[Posed, ...]:
        if not count:
            return ()
        of_form = {form: Verifiable(split, form, count, seed, families) for form in (Form.PAIR, Form.PICK)}
        tasks = {
            (form, setting): {task.id: task for task in benchmark.tasks(setting)}
            for form, benchmark in of_form.items()
            for setting in Setting
        }
        found: dict[str, list[Posed]] = {}
        for example in of_form[Form.PAIR].examples:
            rng = stream(seed, "judging tasks", example.id)
            form = Form.PICK if rng.random() < pick else Form.PAIR
            setting = Setting.RESOURCE if rng.random() < resource else Setting.STANDARD
            task = tasks[form, setting][example.id]
            ids = sorted(candidate.id for candidate in task.candidates)
            shown = task.in_order([ids[i] for i in rng.permutation(len(ids))])
            right = of_form[form].gold()[example.id]
            found.setdefault(example.family, []).append(Posed(shown, setting, example.family, right))
        return tuple(p for p in chain.from_iterable(zip_longest(*found.values())) if p is not None)

    return JudgingTasks("verifiable", posed("train", per_family), posed("dev", validation_per_family))
