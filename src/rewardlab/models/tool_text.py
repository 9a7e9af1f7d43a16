"""Tools for models and servers that have no native tool calls: offered as text, and read back from the reply.

The notation is the one that Hermes and Qwen chat templates use and that most open models were trained on: a call is
one JSON object with `name` and `arguments` between `<tool_call>` and `</tool_call>`. `as_text` turns a conversation
with tools into plain messages; `read_calls` finds the calls in an answer. A call that cannot be read stays in the
text as it was written: nothing is repaired by guessing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rewardlab.models.protocol import Tool, ToolChoice
from rewardlab.task import Message, ToolCall

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_CALL = re.compile(rf"{OPEN}(.*?)(?:{CLOSE}|(?={OPEN})|\Z)", re.DOTALL)


def as_text(messages: Sequence[Message], tools: Sequence[Tool], tool_choice: ToolChoice) -> tuple[Message, ...]:
    """The same conversation without anything that needs a tool-calling server.

    Args:
        messages: May hold assistant messages with calls and `tool` messages with their results.
        tools: Described at the end of the system message; with none, nothing is added.
        tool_choice: "none" hides the tools; "required" and a tool's name say that a call must be made.

    Returns:
        Messages of the roles system, user and assistant only. Results that follow one another share one user
        message, because many chat templates demand that user and assistant alternate.
    """
    plain: list[Message] = []
    after_result = False
    for message in messages:
        if message.role == "tool":
            result = f"<tool_response>\n{message.content}\n</tool_response>"
            if after_result:
                result = f"{plain.pop().content}\n{result}"
            plain.append(Message("user", result))
        elif message.tool_calls:
            plain.append(Message(message.role, "\n".join([*filter(None, [message.content]), *_written(message)])))
        else:
            plain.append(message)
        after_result = message.role == "tool"
    if not tools or tool_choice == "none":
        return tuple(plain)
    offer = describe(tools, tool_choice)
    if plain and plain[0].role == "system":
        return (replace(plain[0], content=f"{plain[0].content}\n\n{offer}"), *plain[1:])
    return (Message("system", offer), *plain)


def as_prompt(messages: Sequence[Message], tools: Sequence[Tool], tool_choice: ToolChoice) -> tuple[Message, ...]:
    """`as_text` with one wording for every tool that may be demanded: an agent's prompts then share their beginning."""
    return as_text(messages, tools, tool_choice if tool_choice in ("auto", "none") else "required")


def describe(tools: Sequence[Tool], tool_choice: ToolChoice = "auto") -> str:
    """The text that offers tools to a model and says how to call one."""
    listed = "\n".join(
        json.dumps({"name": t.name, "description": t.description, "parameters": t.parameters}, ensure_ascii=False)
        for t in tools
    )
    duty = {
        "auto": "Call a tool only when it helps; otherwise answer in plain text.",
        "required": "Your next answer must be a tool call.",
    }.get(tool_choice, f"Your next answer must be a call of the tool {tool_choice}.")
    return (
        "You can call tools. Each line below is one tool, with a JSON schema of its arguments.\n"
        f"<tools>\n{listed}\n</tools>\n"
        "To call a tool, write one JSON object with the tool's name and its arguments, like this:\n"
        f'{OPEN}\n{{"name": "the tool", "arguments": {{"argument": "value"}}}}\n{CLOSE}\n'
        f"The result comes back between <tool_response> and </tool_response>. {duty}"
    )


def read_calls(text: str, tools: Sequence[Tool]) -> tuple[str, tuple[ToolCall, ...]]:
    """The tool calls that an answer holds.

    Args:
        text: The answer.
        tools: Those on offer. An answer that is nothing but one call's JSON, without the tags, is a call only when
            it names one of them.

    Returns:
        The text around the calls, stripped, and the calls in order with ids "call_0", "call_1", ...

    >>> read_calls('Let me see. <tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>', [])
    ('Let me see.', (ToolCall(id='call_0', name='add', arguments='{"a": 1}'),))
    """
    bare = _call(text, "call_0")
    if bare is not None and bare.name in {tool.name for tool in tools}:
        return "", (bare,)
    calls: list[ToolCall] = []

    def take(match: re.Match[str]) -> str:
        call = _call(match[1], f"call_{len(calls)}")
        if call is None:
            return match[0]
        calls.append(call)
        return ""

    rest = _CALL.sub(take, text)
    return rest.strip() if calls else text, tuple(calls)


def _written(message: Message) -> Iterator[str]:
    for call in message.tool_calls:
        try:
            arguments: Any = json.loads(call.arguments)
        except ValueError:
            arguments = call.arguments
        yield f"{OPEN}\n{json.dumps({'name': call.name, 'arguments': arguments}, ensure_ascii=False)}\n{CLOSE}"


def _call(text: str, call_id: str) -> ToolCall | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", {})
    if not isinstance(arguments, dict | str):
        return None
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(call_id, value["name"], written)
