"""Questions, answers and verifiers from reasoning-gym.

Entry n of a dataset is drawn from `random.Random(seed + n)`, so an index names the same question on every machine. The
package's texts are regenerated from indices and never stored. Importing it takes about a second, so that waits until
the first question is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from rewardlab.benchmarks.verifiable.example import Draft, Family, Solution
from rewardlab.benchmarks.verifiable.working import Working, near_misses
from rewardlab.randomness import stream

Entry = Mapping[str, Any]


@cache
def _dataset(name: str, options: tuple[tuple[str, Any], ...]) -> Any:
    import reasoning_gym

    return reasoning_gym.create_dataset(name, seed=0, size=1, **dict(options))


@cache
def sampled_totals() -> dict[str, dict[str, int]]:
    """Family to index to a wrong value that the embedded model gave to the last step; written by `sampling`."""
    text = resources.files("rewardlab.benchmarks.verifiable").joinpath("samples.json").read_text()
    table: dict[str, dict[str, int]] = json.loads(text)
    return table


class Gym:
    """One dataset of reasoning-gym with fixed options.

    Args:
        name: The dataset's name there.
        options: Its config; values must be hashable.
    """

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self._options = tuple(sorted(options.items()))
        self._last: tuple[int, Entry] | None = None

    def entry(self, index: int) -> Entry:
        """Question, answer and metadata at an index."""
        if self._last is None or self._last[0] != index:
            self._last = index, _dataset(self.name, self._options)[index]
        return self._last[1]

    def question(self, index: int) -> str:
        """The question at an index."""
        return str(self.entry(index)["question"]).strip()

    def is_right(self, answer: str, entry: Entry) -> bool:
        """Whether the dataset's own verifier gives full credit."""
        return float(_dataset(self.name, self._options).score_answer(answer, entry)) >= 1.0


def worked_family(
    group: str,
    gym: Gym,
    solve: Callable[[Entry, Working], str],
    check: Callable[[Entry], str],
    usable: Callable[[Entry], bool] = lambda entry: True,
    heldout: bool = False,
) -> Family:
    """A family with reasoning-gym's questions and our worked solutions.

    Args:
        group: Its group.
        gym: Where questions and verdicts come from.
        solve: Writes the working and returns the answer.
        check: Entry to Python whose last expression is the answer; may read only what the question states.
        usable: Entries for which this is false are left out (degenerate questions).
        heldout: Whether the family is held out.
    """

    def draft(index: int) -> Draft | None:
        entry = gym.entry(index)
        if not usable(entry):
            return None
        rng = stream(0, "verifiable", gym.name, index)
        sampled = sampled_totals().get(gym.name, {}).get(str(index))
        solutions = near_misses(lambda working: solve(entry, working), lambda a: gym.is_right(a, entry), rng, sampled)
        if solutions is None:
            return None
        right, wrong = solutions
        return Draft(gym.question(index), (right,), wrong, reference=right.answer, check=check(entry))

    return Family(gym.name, group, draft, heldout, question=gym.question)


def fixed_family(
    group: str,
    gym: Gym,
    solutions: Callable[[Entry], tuple[Solution, ...]],
    check: Callable[[Entry], str],
    heldout: bool = False,
) -> Family:
    """A family whose possible answers are few, so that every one of them gets a solution.

    Args:
        group: Its group.
        gym: Where questions and verdicts come from.
        solutions: Entry to one solution for each possible answer, the right one first.
        check: As for `worked_family`.
        heldout: Whether the family is held out.
    """

    def draft(index: int) -> Draft | None:
        entry = gym.entry(index)
        right, *wrong = solutions(entry)
        if not gym.is_right(right.answer, entry) or any(gym.is_right(w.answer, entry) for w in wrong):
            raise ValueError(f"{gym.name} {index}: the solutions and the verifier disagree")
        return Draft(gym.question(index), (right,), tuple(wrong), right.answer, check(entry))

    return Family(gym.name, group, draft, heldout, question=gym.question)
