from __future__ import annotations

import asyncio

import pytest

from rewardlab.benchmarks.verifiable import examples
from rewardlab.sandbox.monty import Monty
from rewardlab.training.checks import expression_of, worked

FAMILIES = (
    "chain_sum", "basic_arithmetic", "products", "simple_equations", "complex_arithmetic", "aiw",
    "calendar_arithmetic", "word_sorting", "spell_backward",
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_the_check_of_every_question_comes_to_its_answer(family: str) -> None:
    sandbox = Monty()
    for split in ("train", "test"):
        for example in examples(split, 25, 3, [family]):
            expression = expression_of(example.draft.question)
            done = asyncio.run(sandbox.run(f"print({expression})"))
            assert done.stdout == f"{example.draft.right[0].answer}\n", example.draft.question
            last = worked(expression)[-1:]
            assert (
                not last
                or family in ("complex_arithmetic", "calendar_arithmetic")
                or last[0].endswith(f" = {example.draft.right[0].answer}")
            )
    sandbox.close()


def test_a_question_of_another_kind_has_no_check() -> None:
    for question in ("What is the capital of France?", "", "Calculate the area of 3 fields.", "Solve for x: x = 3"):
        assert expression_of(question) == ""
    for example in examples("heldout", 3, 0):
        assert expression_of(example.draft.question) == ""


def test_no_check_breaks_out_of_its_quotes() -> None:
    assert expression_of("Spell this word backward (example: sun -> nus): o'clock") == ""
    words = "return them as a comma-separated list: a, b', print(1"
    assert expression_of(f"Now, sort these words in ascending order (x) and {words}") == ""
