"""Held-out questions with graders that no training ever asks: what a policy is worth, whatever its reward says.

A grader looks at one answer and gives named numbers in [0, 1]; an exam's result is their means over its questions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rewardlab.policy.reward import Prompt

Grader = Callable[[Prompt, str], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Exam:
    """Questions, and how answers are graded.

    Attributes:
        name: Short, for names of metrics ("test").
        prompts: The questions. A reward method sees their resources as it sees those of training prompts.
        grade: From a question and an answer to numbers; the names are the same for all questions.
    """

    name: str
    prompts: tuple[Prompt, ...]
    grade: Grader

    def graded(self, answers: Sequence[str]) -> list[Mapping[str, float]]:
        """The grader's numbers for each question.

        Args:
            answers: One to each question, in their order.
        """
        return [self.grade(prompt, answer) for prompt, answer in zip(self.prompts, answers, strict=True)]

    def results(self, graded: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Means over the questions, under the names "exam/number".

        Args:
            graded: What `graded` gave.
        """
        names = graded[0] if graded else {}
        return {f"{self.name}/{name}": sum(one[name] for one in graded) / len(graded) for name in names}
