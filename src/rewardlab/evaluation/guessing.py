"""A model to try an arm or a data set with before a real one is paid for: `model=scripted` on the command line.

It uses every tool on offer once, and otherwise guesses: it reads the menu at the end of what it is asked and says
something from it, drawn by a hash of all that it was shown. So prompts, tools, parsers, grading and tables all do their
work, equal requests get equal answers, and candidates are told apart without being understood. Its figures mean
nothing, and its name says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from rewardlab.evaluation.audit.walker import walk
from rewardlab.models.protocol import Tool
from rewardlab.models.scripted import Reply, ScriptedGenerator
from rewardlab.task import Message

NAME = "scripted (guesses)"


def guessing_generator(concurrency: int) -> ScriptedGenerator:
    """The model.

    Args:
        concurrency: Taken because every model's config has it; a script has no limit.
    """
    return ScriptedGenerator(_reply, _scores, NAME)


def _reply(messages: Sequence[Message], tools: Sequence[Tool], repeat: int) -> Reply:
    if tools:
        return walk(messages, tools, repeat)
    menu = messages[-1].content.rsplit("```", 1)[-1]  # what follows the last candidate
    shown = "\n".join(message.content for message in messages)
    if "one line a criterion" in menu:
        numbers = re.findall(r"^(\d+)\. ", menu, re.MULTILINE)
        return "\n".join(f"{number}: {_drawn('YN', shown, number)}" for number in numbers)
    return _drawn(answers(menu), shown, str(repeat))


def answers(menu: str) -> list[str]:
    """The replies that a menu in words allows; one that says nothing where it is no menu.

    >>> answers("Reply with the letter A or B and nothing else.")
    ['Verdict: A', 'Verdict: B']
    >>> answers("Then end with Output (a) for candidate A or Output (b) for candidate B.")
    ['Output (a)', 'Output (b)']
    """
    if in_form := re.findall(r"Output \([ab]\)|\[\[[A-D]\]\]|(?<!\S)[AB]>[AB](?=,| and)", menu):
        return list(in_form)
    if scale := re.search(r"a whole number from (\d+) to (\d+)", menu):
        return [f"Verdict: {number}" for number in range(int(scale[1]), int(scale[2]) + 1)]
    if "the number of that step" in menu:
        return ["Verdict: -1", "Verdict: 0"]
    listed = re.search(r"the letter (.*)", menu)
    letters = re.findall(r"\b[A-Z]\b", listed[1]) if listed else []
    return [f"Verdict: {letter}" for letter in letters] or ["There is nothing to say."]


def _scores(messages: Sequence[Message], continuations: Sequence[str]) -> list[float]:
    shown = "\n".join(message.content for message in messages)
    return [-_hash(shown, continuation) / 2**60 for continuation in continuations]


def _drawn(options: Sequence[str], *shown: str) -> str:
    return options[_hash(*shown) % len(options)]


def _hash(*texts: str) -> int:
    return int(hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16], 16)
