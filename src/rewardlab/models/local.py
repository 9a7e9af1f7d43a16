"""Any Hugging Face causal language model as a `Generator`, on this machine.

Requests of many asyncio tasks go to one worker thread, which runs them together (`batching`): no padding, new requests
join between two decoding steps, and shared beginnings of prompts are computed once (`prefix_cache`) and counted as
`Usage.cached_tokens`. What a request is batched with changes log-probabilities by rounding only (below 1e-4 in fp32),
and samples not at all, since each request has its own random stream.

Tools are offered as text (`tool_text`) whatever the model's chat template knows. With `tool_choice` "required" or a
tool's name, decoding is constrained (`constrained`) and the answer is one valid call, or has finish_reason "length" and
no call; with "auto", calls are read from the text.

What it does not do: several GPUs, quantisation, images. For these, serve the model and use an endpoint.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import queue
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from rewardlab.errors import MissingRequirement, ModelError
from rewardlab.models.adapter import adapter_sha256, merged
from rewardlab.models.batching import Batcher, Job
from rewardlab.models.chat_prompt import ChatPrompt
from rewardlab.models.constrained import ToolCallGrammar
from rewardlab.models.decoding import Turn
from rewardlab.models.packed import adopt
from rewardlab.models.prefix_cache import PrefixCache
from rewardlab.models.protocol import Completion, Sampling, Scores, Tool, ToolChoice
from rewardlab.models.tool_text import as_prompt, read_calls
from rewardlab.randomness import stream
from rewardlab.task import Message
from rewardlab.verdict import Status, Usage

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CLOSED = "the local model was closed"


class LocalGenerator:
    """A causal language model in this process.

    Args:
        model: Name on the hub, a folder, or a loaded model with its tokenizer. A loaded model stays usable for
            training; call `forget` after its weights have changed, and put it in evaluation mode for requests.
        name: Name for the run identity; by default the name or path that was loaded.
        adapter: Folder of a PEFT adapter, merged into the weights.
        dtype: "auto" (bfloat16 on CUDA, else float32), or the name of a torch dtype. Not for a loaded model.
        device: "auto" (CUDA if there is any), or a torch device. Not for a loaded model.
        concurrency: Requests that are worked on at a time, where `batch_size` does not say.
        batch_size: The same; of the judgments in flight each may have several requests.
        prefix_cache_bytes: Memory for the keys and values of earlier prompts; 0 turns their reuse off.
        describe_tools: Write the tools on offer into the prompt. Without it only constrained decoding knows their
            schemas, which keeps the prompts of an agent's turns alike when its own text names the tools.
        timeout: Seconds from a request to its answer, waiting included; None for no limit.
        weights_hash: `weights_sha256` of a loaded model where it is known, since that takes seconds; None to find out.

    Raises:
        MissingRequirement: When the model cannot be loaded.
        UserError: When it has no chat template, or an attention that packed batches do not support.
    """

    def __init__(
        self,
        model: str | tuple[PreTrainedModel, PreTrainedTokenizerFast],
        *,
        name: str = "",
        adapter: str | None = None,
        dtype: str = "auto",
        device: str = "auto",
        concurrency: int = 32,
        batch_size: int | None = None,
        prefix_cache_bytes: int = 2**30,
        describe_tools: bool = True,
        timeout: float | None = None,
        weights_hash: str | None = None,
    ) -> None:
        loaded, self._tokenizer = load(model, dtype, device) if isinstance(model, str) else model
        self._weights: dict[str, str] = {"weights_sha256": weights_hash} if weights_hash else {}
        if adapter:
            self._weights = {
                "weights_sha256": weights_hash or weights_sha256(loaded),
                "adapter_sha256": adapter_sha256(adapter),
            }
            loaded = merged(loaded, adapter)
        self._model = adopt(loaded)
        self._name = name or str(self._model.config.name_or_path)
        self._prompt = ChatPrompt(self._tokenizer)
        self._context = int(getattr(self._model.config, "max_position_embeddings", 0) or 2**31)
        self._ends = end_tokens(self._model, self._tokenizer)
        self._cache = PrefixCache(prefix_cache_bytes)
        self._describe_tools = describe_tools
        self._timeout = timeout
        self._inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._forget = threading.Event()
        self._closed = False
        batcher = Batcher(self._model, self._cache, batch_size or concurrency)
        self._worker = threading.Thread(target=self._work, args=(batcher,), name="local-model", daemon=True)
        self._worker.start()

    @property
    def can_score(self) -> bool:
        """Always."""
        return True

    async def identity(self) -> Mapping[str, str]:
        """Name, dtype, and SHA-256 of weights, chat template and tokenizer. The first call reads all weights.

        With an adapter, the weights are those before it was merged, and its own hash stands beside them.
        """
        return await asyncio.to_thread(lambda: self._identity)

    async def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> Completion:
        """One turn of a conversation.

        Raises:
            ModelError: TRUNCATED when the prompt leaves no room in the model's context, TIMEOUT after `timeout`
                seconds, ENDPOINT_ERROR when the model failed (e.g. out of memory) or was closed.
            UserError: When a tool's schema cannot be enforced, or the chat template refuses the conversation.
        """
        prompt = self._fitting(self.prompt_ids(messages, tools, tool_choice))
        constrained = bool(tools) and tool_choice not in ("auto", "none")
        matcher = self._grammar.matcher(tools, tool_choice) if constrained else None
        rng = stream(sampling.seed, "sampling", hashlib.sha256(prompt.tobytes()).hexdigest(), sampling.repeat)
        turn = Turn(self._tokenizer, sampling, self._context - len(prompt), self._ends, rng, matcher)
        job = Job(prompt, turn)
        if not turn.finish_reason:
            await self._run(job)
        text = turn.text()
        readable = matcher is None or turn.finish_reason == "stop"
        rest, calls = read_calls(text, tools) if tools and tool_choice != "none" and readable else (text, ())
        return Completion(rest, calls, "tool_calls" if calls else turn.finish_reason, "", self._name, job.usage)

    async def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> Scores:
        """Log-probability of each continuation as the beginning of the assistant's turn.

        The prompt runs once, and in the same pass all continuations behind it. A continuation is tokenised by itself.

        Raises:
            ModelError: As `chat`.
            ValueError: When a continuation is empty.
        """
        tokens = [self._tokenizer(c, add_special_tokens=False).input_ids for c in continuations]
        if not all(tokens):
            raise ValueError("an empty continuation has no log-probability")
        prompt = self._fitting(self.prompt_ids(messages), max(map(len, tokens), default=0))
        job = Job(prompt, continuations=tokens)
        await self._run(job)
        return Scores(job.logprobs, job.usage)

    def prompt_ids(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), tool_choice: ToolChoice = "auto"
    ) -> list[int]:
        """The token ids that the model gets for a conversation, to be looked at or stored beside a run."""
        return self._prompt.ids(as_prompt(messages, tools if self._describe_tools else (), tool_choice))

    def forget(self) -> None:
        """Drop all cached prefixes before the next pass: for a model whose weights have changed."""
        self._forget.set()

    async def aclose(self) -> None:
        """End the worker; requests in flight fail with `ModelError`. Safe to call twice."""
        self._closed = True
        self._inbox.put(None)
        await asyncio.to_thread(self._worker.join)

    @cached_property
    def _grammar(self) -> ToolCallGrammar:
        return ToolCallGrammar(self._tokenizer, self._model.config.get_text_config().vocab_size, self._ends)

    @cached_property
    def _identity(self) -> dict[str, str]:
        tokenizer = json.loads(self._tokenizer.backend_tokenizer.to_str())
        settings = {k: v for k, v in tokenizer.items() if k not in ("padding", "truncation")}  # these vary with use
        return {
            "model": self._name,
            **(self._weights or {"weights_sha256": weights_sha256(self._model)}),
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "chat_template_sha256": _sha256(str(self._tokenizer.chat_template)),
            "tokenizer_sha256": _sha256(json.dumps(settings)),
        }

    def _fitting(self, ids: Sequence[int], needed: int = 1) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        if len(ids) + needed > self._context:
            message = f"the prompt has {len(ids)} tokens and needs {needed} more; the context holds {self._context}"
            raise ModelError(Status.TRUNCATED, message, Usage(calls=1))
        return np.array(ids, np.int64)

    async def _run(self, job: Job) -> None:
        if self._closed:
            raise ModelError(Status.ENDPOINT_ERROR, CLOSED, Usage())
        if self._model.training:
            raise RuntimeError("the model is in training mode, where dropout changes its answers: call eval() first")
        self._inbox.put(job)
        try:
            await asyncio.wait_for(asyncio.wrap_future(job.done), self._timeout)
        except TimeoutError:
            message = f"no answer within {self._timeout} s"
            raise ModelError(Status.TIMEOUT, message, job.usage) from None

    def _work(self, batcher: Batcher) -> None:
        """The worker thread: take in what has come, run a pass, again; sleep when there is nothing to do."""
        try:
            while True:
                while batcher.idle or not self._inbox.empty():
                    job = self._inbox.get()
                    if job is None:
                        return
                    batcher.add(job)
                if self._forget.is_set():
                    self._forget.clear()
                    self._cache.clear()
                batcher.step()
        except Exception as bug:
            batcher.fail(bug)  # its traceback belongs to those who wait, not only to a thread nobody looks at
            raise
        finally:
            self._closed = True
            batcher.fail(ModelError(Status.ENDPOINT_ERROR, CLOSED))
            while not self._inbox.empty():
                if job := self._inbox.get():
                    job.finish(ModelError(Status.ENDPOINT_ERROR, CLOSED))


def load(model: str, dtype: str, device: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a model for inference. Arguments and failures as of `LocalGenerator`."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
        loaded = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype), device_map=device)
    except (OSError, ValueError) as error:
        what = f"the model {model!r} cannot be loaded: {error}"
        raise MissingRequirement(what, "give a name on the Hugging Face hub, or a folder that holds it") from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise MissingRequirement(f"the model {model!r} has no fast tokenizer", "use a model with a tokenizer.json")
    return loaded.train(False), tokenizer


def weights_sha256(model: torch.nn.Module) -> str:
    """SHA-256 over names, shapes and bytes of all parameters and stored buffers, in order of name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> tuple[int, ...]:
    """Ids of the tokens that end a turn, as the model's generation settings and its tokenizer say."""
    configured: Any = model.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return tuple(sorted({i for i in (*listed, tokenizer.eos_token_id) if i is not None}))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
