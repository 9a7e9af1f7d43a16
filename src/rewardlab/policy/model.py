"""The policy as a model: what is trained, how it is asked, what it is compared with, and how it is kept."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from rewardlab.models.chat_prompt import ChatPrompt
from rewardlab.models.embedded import load_embedded
from rewardlab.models.local import load, weights_sha256
from rewardlab.models.packed import adopt
from rewardlab.models.reward_checkpoint import EMBEDDED
from rewardlab.task import Message
from rewardlab.training.tuning import Lora, with_lora

Tuning = Literal["full", "lora"]


class Policy(nn.Module):
    """A causal language model in training, always in evaluation mode: without dropout the ratio of a step starts at 1.

    Args:
        model: The model, in fp32.
        tokenizer: Its tokenizer, with a chat template.
        tuning: "full", or "lora" for an adapter on all linear layers.
        lora: The adapter.
        backbone: What an adapter's settings shall call the model.
        reference: Keep what is needed to ask the policy as it was before training.
        seed: Of the adapter's fresh weights.

    Attributes:
        trained: What requires gradients.
        initial: SHA-256 of the weights before training, without an adapter.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        tuning: Tuning,
        lora: Lora,
        backbone: str,
        reference: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self._prompt = ChatPrompt(tokenizer)
        self._tuning = tuning
        self.initial = weights_sha256(model)
        self.trained: Any = model
        self._before = None
        if tuning == "lora":
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self.trained = with_lora(model, lora, "CAUSAL_LM", backbone)
        elif reference:
            self._before = adopt(copy.deepcopy(model)).requires_grad_(False)
        adopt(self.trained)
        self.train(False)

    @property
    def packed(self) -> PreTrainedModel:
        """The model to hand to `models.packed` and to a sampler; it shares its weights with `trained`."""
        model: PreTrainedModel = self.trained.get_base_model() if self._tuning == "lora" else self.trained
        return model

    def train(self, mode: bool = True) -> Policy:
        """Stays in evaluation mode."""
        super().train(False)
        return self

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a prompt, up to where the policy's turn begins."""
        return self._prompt.ids(messages)

    @contextmanager
    def reference(self) -> Iterator[PreTrainedModel]:
        """The policy as it was before training: its adapter switched off, or the copy that was kept.

        Raises:
            RuntimeError: When no copy was kept.
        """
        if self._tuning == "lora":
            with self.trained.disable_adapter():
                yield self.packed
        elif self._before is None:
            raise RuntimeError("this policy keeps no reference")
        else:
            yield self._before

    def save(self, folder: Path, weights: Mapping[str, Tensor]) -> None:
        """Save adapter or model, and the tokenizer, as transformers and peft read them.

        Args:
            folder: Made when missing.
            weights: Of `trained`, also where training sharded them.
        """
        disable_progress_bar()  # type: ignore[no-untyped-call]
        folder.mkdir(parents=True, exist_ok=True)
        self.trained.save_pretrained(folder, state_dict=dict(weights))
        (folder / "README.md").unlink(missing_ok=True)  # peft's form to fill in, which nobody has
        for file in folder.glob("*.safetensors"):
            file.chmod(0o644)  # made private; results are to be shared
        self.tokenizer.save_pretrained(folder)


class Source:
    """Where a policy comes from.

    Args:
        name: For tables.
        model: "embedded", a name on the Hugging Face hub, a folder, or something that makes a folder when it is called.
        tuning: "full" or "lora".
        lora: The adapter.
    """

    def __init__(self, name: str, model: str | Callable[[], Path], tuning: Tuning, lora: Lora) -> None:
        self.name = name
        self.tuning = tuning
        self._model, self._lora = model, lora

    def load(self, reference: bool, seed: int) -> Policy:
        """The policy before training, on the CPU in fp32.

        Raises:
            MissingRequirement: When the model cannot be loaded.
            UserError: When it has no chat template, or an attention that packed batches do not support.
        """
        disable_progress_bar()  # type: ignore[no-untyped-call]
        if self._model == EMBEDDED:
            place = EMBEDDED
            model, tokenizer = load_embedded()
        else:
            place = self._model if isinstance(self._model, str) else str(self._model())
            model, tokenizer = load(place, "float32", "cpu")
        return Policy(model, tokenizer, self.tuning, self._lora, place, reference, seed)
