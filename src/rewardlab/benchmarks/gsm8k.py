"""GSM8K candidates: four real solutions of each of 1,319 test problems, from OpenAI's example_model_solutions.jsonl.

Two models (6B and 175B), each finetuned and with a verifier, solved the test set of Cobbe et al. (arXiv 2110.14168);
the file says of each solution whether its answer is right. The reference solution is not read into tasks.
"""

from __future__ import annotations

from rewardlab.benchmarks.answers import gsm8k_answer
from rewardlab.benchmarks.best_of_n import BestOfN, Problem
from rewardlab.benchmarks.jetts import majority_vote
from rewardlab.benchmarks.rows import Hub, Pin, Row, load

SOLVERS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")

# openai/grade-school-math@3101c7d50724 grade_school_math/data
PINS = {
    "example_model_solutions.jsonl": Pin(1319, "4bc62db838f8418365d51c627bd66294cbdca9fb7f01519cb13f0dce8c51580b"),
}


class GSM8KCandidates(BestOfN):
    """Four solutions a problem.

    Args:
        path: example_model_solutions.jsonl, or its folder.
        hub: Where to load from without a path.
        pinned: Whether a file of the released name must be the released file.
        mixed: Keep only problems with right and with wrong solutions, the ones that a choice can win or lose.

    Raises:
        UserError: When the data are missing or bad.
    """

    name = "gsm8k"
    first = "the 6B model's solution without a verifier"

    def __init__(
        self, path: str | None = None, hub: Hub | None = None, pinned: bool = True, mixed: bool = False
    ) -> None:
        rows = load(path, hub, ("example_model_solutions.jsonl",), PINS if pinned else None)
        problems = [_problem(row) for row in rows.rows]
        super().__init__([p for p in problems if not mixed or len(set(p.scores)) > 1], rows)


def _problem(row: Row) -> Problem:
    solutions = [row.row(solver) for solver in SOLVERS]
    texts = tuple(solution.text("solution") for solution in solutions)
    scores = tuple(float(solution.truth("is_correct")) for solution in solutions)
    name = str(row.number)
    vote = majority_vote(texts, 0, name)
    answers = tuple(map(gsm8k_answer, texts))
    return Problem(name, "gsm8k", row.text("question"), texts, scores, vote.candidate, answers=answers)
