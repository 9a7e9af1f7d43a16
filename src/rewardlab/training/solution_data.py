"""Where the solutions of a process reward model come from: our generator with simulated annotators, or a file.

A file or hub data set is read by columns that the config names: the question, the list of steps, and any of a first
error (index from 0, -1 for none), Monte-Carlo estimates, and a judge's first error. ProcessBench's own layout is one of
these. It is divided by question into training, validation and test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from rewardlab.benchmarks.rows import Hub, Row, load
from rewardlab.errors import UserError
from rewardlab.randomness import stream
from rewardlab.task import Message
from rewardlab.training.annotators import Checker, Completer, annotated
from rewardlab.training.intake import Intake
from rewardlab.training.solutions import NO_ERROR, Mix, Solution, generate


class SolutionData(NamedTuple):
    """Solutions of one source.

    Attributes:
        name: Of the source.
        train: To train on, annotated as the labels need it.
        validation: To choose the threshold on.
        test: For the final numbers. Validation and test have known first errors.
        intake: What was dropped while reading.
        source: Where they come from, for the run identity.
    """

    name: str
    train: tuple[Solution, ...]
    validation: tuple[Solution, ...]
    test: tuple[Solution, ...]
    intake: Intake
    source: str


def generated(
    problems_per_family: int,
    validation_per_family: int,
    test_per_family: int,
    seed: int,
    annotation_seed: int,
    families: Sequence[str],
    mix: Mix,
    completer: Completer,
    checker: Checker,
    test_split: str = "test",
) -> SolutionData:
    """Solutions from our generator; training ones carry the annotations of a simulated completer and judge.

    Args:
        problems_per_family: Training problems of each family.
        validation_per_family: Problems of the dev split.
        test_per_family: Problems of the test split.
        seed: Which problems and candidates; 0 to 99.
        annotation_seed: Of the annotators' draws.
        families: Families of `verifiable` whose steps are sums.
        mix: Which candidates a problem gets.
        completer: The Monte-Carlo annotator.
        checker: The judge.
        test_split: "test", or "heldout" for families that training has not seen.
    """
    train = annotated(generate("train", problems_per_family, seed, mix, families), completer, checker, annotation_seed)
    validation = generate("dev", validation_per_family, seed, mix, families)
    test = generate(test_split, test_per_family, seed, mix, families)
    return SolutionData("generated", tuple(train), tuple(validation), tuple(test), Intake(), "verifiable")


def columns(
    seed: int,
    validation: float,
    test: float,
    question: str,
    steps: str,
    first_error: str | None = None,
    estimates: str | None = None,
    judged: str | None = None,
    path: str | None = None,
    hub: Hub | None = None,
    limit: int | None = None,
) -> SolutionData:
    """Solutions of a file or hub data set.

    Args:
        seed: Of the division.
        validation: Share of the questions to choose the threshold on.
        test: Share of the questions for the final numbers; both need first errors.
        question: Column of the question.
        steps: Column of the list of steps.
        first_error: Column of the index of the first wrong step, -1 for none.
        estimates: Column of the Monte-Carlo estimates, one for each step.
        judged: Column of the first wrong step according to a judge.
        path: A file, or a folder of .jsonl and .json files.
        hub: Where to load from without a path.
        limit: Use that many questions, drawn with the seed; None for all.

    Raises:
        UserError: When data are missing, or the columns do not do for validation.
    """

    def index(row: Row, column: str | None, count: int) -> int | None:
        if column is None:
            return None
        found = row.integer(column, least=NO_ERROR)
        if found >= count:
            row.fail(column, f"{found} where there are {count} steps, counted from 0")
        return found

    def shares(row: Row, count: int) -> tuple[float, ...]:
        given = row.data.get(estimates, ()) if estimates else ()
        numbers = [value for value in given if isinstance(value, int | float) and 0 <= value <= 1]
        if estimates and (len(numbers) != len(given) or len(given) != count):
            row.fail(estimates, f"{count} numbers from 0 to 1 are expected, one for each step")
        return tuple(map(float, numbers))

    def solution(row: Row) -> Solution:
        asked, parts = row.text(question), row.texts(steps)
        return Solution(
            problem=hashlib.sha256(asked.encode()).hexdigest()[:16],  # run folders keep it, and no text
            group=row.origin,
            question=(Message("user", asked),),
            steps=parts,
            first_error=index(row, first_error, len(parts)),
            estimates=shares(row, len(parts)),
            judged=index(row, judged, len(parts)),
            place=f"{row.file}, row {row.number}",
        )

    if first_error is None and (validation or test):
        raise UserError("solutions to validate and test on need known first errors: set data.first_error to a column")
    rows = load(path, hub, ("*.jsonl", "*.json"))
    intake = Intake()
    found = intake.parse(rows.rows, solution)
    problems = sorted({s.problem for s in found})
    order = [problems[i] for i in stream(seed, "solutions", "columns").permutation(len(problems))][:limit]
    ends = [round(len(order) * test), round(len(order) * (test + validation))]
    part = {problem: sum(place >= end for end in ends) for place, problem in enumerate(order)}
    of_test, of_validation, of_train = (tuple(s for s in found if part.get(s.problem) == n) for n in range(3))
    intake.unused = len(found) - len(of_train) - len(of_validation) - len(of_test)
    return SolutionData("columns", of_train, of_validation, of_test, intake, rows.source)
