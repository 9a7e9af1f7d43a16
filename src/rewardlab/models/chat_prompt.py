"""From a conversation to the token ids of a prompt.

The chat template writes every special token of the prompt and the tokenizer adds none, so there is exactly one BOS.
Text that merely looks like a special token, say "<|im_end|>" inside a candidate's answer, is encoded as the characters
that it consists of: what is judged cannot end its own message and speak as somebody else.

Where the template refuses a system message, as Gemma's do, its text stands at the beginning of the first user message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from rewardlab.errors import UserError
from rewardlab.task import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MARK = "\ufdd0"  # a Unicode noncharacter, which no text may hold


class ChatPrompt:
    """Renders prompts for one tokenizer.

    Raises:
        UserError: When the tokenizer has no chat template.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        if not tokenizer.chat_template:
            raise UserError("the model's tokenizer has no chat template\n  to mend it: use an instruction-tuned model")
        self._tokenizer = tokenizer
        self._ids = {str(token): i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        longest_first = sorted(self._ids, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._system_role = self._takes_system_role()

    def text(self, messages: Sequence[Message]) -> str:
        """The prompt as the template writes it, up to where the assistant's turn begins."""
        return self._rendered([(m.role, m.content) for m in messages], True)

    def ids(
        self, messages: Sequence[Message], answered: bool = False, inserted: Mapping[str, int] | None = None
    ) -> list[int]:
        """The prompt's token ids.

        Args:
            messages: Of the roles system, user and assistant, without tool calls (`tool_text.as_text`).
            answered: The last message is the assistant's whole turn, so no further turn is begun.
            inserted: Characters of the messages that stand for a token id each; take Unicode noncharacters.

        Raises:
            UserError: When the chat template refuses the conversation, e.g. because roles do not alternate.
        """
        # A mark inside each look-alike tells it from the template's own special tokens, and is taken out again.
        marked = [
            (m.role, self._special.sub(lambda found: found[0][0] + MARK + found[0][1:], m.content)) for m in messages
        ]
        rendered = self._rendered(marked, not answered)
        single = self._ids | dict(inserted or {})
        if MARK not in rendered and not inserted:
            return self._encode(rendered, look_alikes=False)
        ids: list[int] = []
        end = 0
        for found in re.finditer("|".join([self._special.pattern, *map(re.escape, inserted or ())]), rendered):
            ids += self._encode(rendered[end : found.start()], look_alikes=True)
            ids.append(single[found[0]])
            end = found.end()
        return ids + self._encode(rendered[end:], look_alikes=True)

    def _encode(self, text: str, look_alikes: bool) -> list[int]:
        plain = text.replace(MARK, "")
        return list(self._tokenizer(plain, add_special_tokens=False, split_special_tokens=look_alikes).input_ids)

    def _rendered(self, messages: Sequence[tuple[str, str]], begin_turn: bool) -> str:
        if not self._system_role and [role for role, _ in messages[:2]] == ["system", "user"]:
            (_, system), (_, first), *rest = messages
            messages = [("user", f"{system}\n\n{first}"), *rest]
        try:
            return self._templated(messages, begin_turn)
        except TemplateError as error:
            raise UserError(f"the model's chat template refuses this conversation: {error}") from error

    def _takes_system_role(self) -> bool:
        try:
            self._templated([("system", "a"), ("user", "b")], begin_turn=True)
        except TemplateError:
            return False
        return True

    def _templated(self, messages: Sequence[tuple[str, str]], begin_turn: bool) -> str:
        conversation = [{"role": role, "content": content} for role, content in messages]
        template = self._tokenizer.apply_chat_template
        return str(template(conversation, tokenize=False, add_generation_prompt=begin_turn))
