"""What a policy is trained on and what it is examined on.

Training questions come from `verifiable`'s train split, exams from its other splits, which share no question with it.
Three exams tell apart what was rewarded and what was not: new questions of the trained families ("test"), questions of
families that are known but were not trained ("unrewarded"), and the held-out families ("heldout"). Graders check
everything that a question asks for.

As in VerInstruct, a program need not be bound to every constraint. Kinds named in `prose` stand in a checklist as
sentences, which no verifier decides; a judge has to read them. Graders still check them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rewardlab.benchmarks.verifiable import Verifiable
from rewardlab.judges.imperfect import CONSTRAINTS
from rewardlab.policy.exam import Exam
from rewardlab.policy.reward import Prompt, prompts_of
from rewardlab.task import Provenance, Resource, ResourceKind
from rewardlab.verdict import Decision
from rewardlab.verifiers import constraints
from rewardlab.verifiers.reference import match_reference


class Tasks(NamedTuple):
    """Questions to train on and exams.

    Attributes:
        name: For tables.
        train: Prompts to roll out.
        validation: Exams for the learning curve.
        final: Exams for the final numbers.
    """

    name: str
    train: tuple[Prompt, ...]
    validation: tuple[Exam, ...]
    final: tuple[Exam, ...]


def verifiable(
    name: str,
    families: Sequence[str],
    per_family: int,
    validation_per_family: int,
    test_per_family: int,
    unrewarded: Sequence[str] = (),
    heldout: Sequence[str] = (),
    prose: Sequence[str] = (),
    exams: Sequence[Exam] = (),
    seed: int = 0,
) -> Tasks:
    """Questions of `verifiable`.

    Args:
        name: For tables.
        families: Trained on.
        per_family: Training questions of each.
        validation_per_family: Questions of each for the learning curve, from the dev split.
        test_per_family: Questions of each family of the final exams; as many training questions are asked again.
        unrewarded: Families of the exam "unrewarded"; none for no such exam.
        heldout: Families of the exam "heldout", from those that `verifiable` holds out.
        prose: Kinds of constraints that no program is bound to in training.
        exams: Further final exams.
        seed: Which questions, 0 to 99; not the seed of a run, so that all runs are asked the same.

    Raises:
        UnknownName: When a family is unknown, or its split does not have it.
    """

    def exam(called: str, split: str, asked: Sequence[str], count: int) -> Exam:
        return _exam(called, Verifiable(split, "rate", count, seed, asked), prose)

    final = [exam("train", "train", families, test_per_family), exam("test", "test", families, test_per_family)]
    if unrewarded:
        final.append(exam("unrewarded", "test", unrewarded, test_per_family))
    if heldout:
        final.append(exam("heldout", "heldout", heldout, test_per_family))
    train = [unbound(p, prose) for p in prompts_of(Verifiable("train", "rate", per_family, seed, families))]
    validation = (exam("dev", "dev", families, validation_per_family),) if validation_per_family else ()
    return Tasks(name, tuple(train), validation, (*final, *exams))


def unbound(prompt: Prompt, prose: Sequence[str]) -> Prompt:
    """A prompt whose checklist has constraints of some kinds as sentences, and beside it all of them for judges that
    are made of verifiers."""
    checklists = prompt.of_kind(ResourceKind.CHECKLIST)
    if not checklists:
        return prompt
    (checklist,) = checklists
    every = json.loads(checklist.content)
    listed = [constraints.describe(one) if one["kind"] in prose else one for one in every]
    return replace(
        prompt,
        resources=(
            *(resource for resource in prompt.resources if resource is not checklist),
            replace(checklist, content=json.dumps(listed)),
            Resource(CONSTRAINTS, ResourceKind.METADATA, checklist.content, Provenance.PROGRAM),
        ),
    )


def _exam(name: str, benchmark: Verifiable, prose: Sequence[str]) -> Exam:
    asked = prompts_of(benchmark)
    graders = {prompt.id: _grader(prompt) for prompt in asked}
    return Exam(name, tuple(unbound(prompt, prose) for prompt in asked), lambda prompt, text: graders[prompt.id](text))


def _grader(prompt: Prompt) -> Callable[[str], Mapping[str, float]]:
    """What an answer is worth: `accuracy` 1 when all that is asked for is met, `share` the part that is.

    Raises:
        ValueError: When the question has neither a reference nor a checklist.
    """
    for reference in prompt.of_kind(ResourceKind.REFERENCE):
        return lambda text: _worth([match_reference(text, reference.content).decision is Decision.SATISFIED])
    for checklist in prompt.of_kind(ResourceKind.CHECKLIST):
        rules = json.loads(checklist.content)
        return lambda text: _worth([constraints.check(r, text).decision is Decision.SATISFIED for r in rules])
    raise ValueError(f"{prompt.id} has nothing to grade by")


def _worth(met: Sequence[bool]) -> Mapping[str, float]:
    return {"accuracy": float(all(met)), "share": sum(met) / len(met)}
