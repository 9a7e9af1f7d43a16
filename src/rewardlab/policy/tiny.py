"""A policy of one to three million parameters with a vocabulary of its own, made on this machine in minutes.

It learns by supervision from worked solutions of `verifiable`'s train split, right and wrong ones alike, in the concise
style: afterwards it writes what such solutions look like, and follows instructions or computes about as often as its
examples do. What training against a reward then makes of it is the experiment.

Model and tokenizer are an ordinary Hugging Face folder, kept in the cache under the hash of the recipe and of the code
that makes it, so that all arms and seeds of an experiment begin with the same weights.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tqdm import tqdm
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from rewardlab.benchmarks.verifiable import Style, examples
from rewardlab.models.chat_prompt import ChatPrompt
from rewardlab.models.embedded import cache_root
from rewardlab.models.packed import Group, adopt, logprobs
from rewardlab.randomness import stream
from rewardlab.store.atomic import canonical_json
from rewardlab.store.identity import code_hash
from rewardlab.task import Message

BEGIN, ANSWER, END = "<s>", "<answer>", "<end>"
TEMPLATE = (
    f"{BEGIN}{{% for m in messages %}}{{{{ m['content'] }}}}"
    f"{{{{ '{END}' if m['role'] == 'assistant' else '{ANSWER}' }}}}{{% endfor %}}"
)
_CODE = ("policy/tiny.py", "benchmarks/verifiable", "models/packed.py", "verifiers/constraints.py", "randomness.py")


@dataclass(frozen=True, slots=True)
class Tiny:
    """The recipe; calling it gives the folder, made now if this is the first use on this machine.

    Attributes:
        families: Of `verifiable`, train split.
        per_family: Examples of each.
        steps: Optimiser steps.
        batch_size: Examples of a step, each with all of its solutions.
        learning_rate: At its highest; linear warm-up over a twentieth of the steps, then linear decay.
        vocabulary: Tokens, special ones and 256 bytes included.
        hidden_size: Width.
        intermediate_size: Width of the feed-forward layers.
        layers: Transformer layers.
        heads: Attention heads.
        context: Longest sequence.
        seed: Of weights and order.
    """

    families: Sequence[str]
    per_family: int
    steps: int
    batch_size: int = 16
    learning_rate: float = 3e-3
    vocabulary: int = 1024
    hidden_size: int = 160
    intermediate_size: int = 448
    layers: int = 4
    heads: int = 4
    context: int = 512
    seed: int = 0

    def __call__(self) -> Path:
        """The folder."""
        recipe = canonical_json({**asdict(self), "families": list(self.families), "code": code_hash(_CODE)})
        folder = cache_root() / "policies" / f"tiny-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        try:
            self._make(unfinished)
            unfinished.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process was first, with the same content
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return folder

    def _make(self, folder: Path) -> None:
        texts = [
            (example.draft.question, [s.texts[Style.CONCISE] for s in (*example.draft.right, *example.draft.wrong)])
            for example in examples("train", self.per_family, 0, self.families)
        ]
        tokenizer = make_tokenizer([text for question, answers in texts for text in (question, *answers)], self)
        prompt, end = ChatPrompt(tokenizer), tokenizer.get_vocab()[END]
        groups: list[Group] = [
            (
                prompt.ids([Message("user", question)]),
                [[*tokenizer(answer, add_special_tokens=False).input_ids, end] for answer in answers],
            )
            for question, answers in texts
        ]
        model = self._model(tokenizer)
        self._teach(model, groups)
        model.set_attn_implementation("sdpa")
        disable_progress_bar()  # type: ignore[no-untyped-call]
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    def _model(self, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=self.hidden_size,
            intermediate_size=self.intermediate_size,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            max_position_embeddings=self.context,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.get_vocab()[BEGIN],
            eos_token_id=tokenizer.get_vocab()[END],
        )
        # Only the global generator decides fresh weights of transformers; it is put back afterwards.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return adopt(LlamaForCausalLM(config))

    def _teach(self, model: PreTrainedModel, groups: Sequence[Group]) -> None:
        optimizer = torch.optim.AdamW(model.parameters(), self.learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
        warm = max(1, self.steps // 20)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warm, (self.steps - step) / max(1, self.steps - warm))
        )
        shown = tqdm(self._batches(groups), desc="pretraining", total=self.steps, disable=None)
        for batch in shown:
            loss = -torch.cat(logprobs(model, batch)).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            shown.set_postfix(loss=f"{float(loss.detach()):.3f}")

    def _batches(self, groups: Sequence[Group]) -> Iterator[list[Group]]:
        rng, waiting = stream(self.seed, "tiny"), list[int]()
        for _ in range(self.steps):
            while len(waiting) < self.batch_size:
                waiting += rng.permutation(len(groups)).tolist()
            chosen, waiting = waiting[: self.batch_size], waiting[self.batch_size :]
            yield [groups[i] for i in chosen]


def make_tokenizer(texts: Sequence[str], recipe: Tiny) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer learned from texts; digits are tokens of their own."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    backend.decoder = decoders.ByteLevel()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=[BEGIN, ANSWER, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend, bos_token=BEGIN, eos_token=END, pad_token=END, additional_special_tokens=[ANSWER]
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.model_max_length = recipe.context
    return tokenizer
