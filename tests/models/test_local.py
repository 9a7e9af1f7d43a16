from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import jsonschema
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, BloomConfig, BloomForCausalLM

from rewardlab.errors import MissingRequirement, ModelError, UnknownName, UserError
from rewardlab.models import local
from rewardlab.models.adapter import save_adapter
from rewardlab.models.local import LocalGenerator
from rewardlab.models.packed import forward
from rewardlab.models.protocol import Completion, Generator, Sampling, Tool
from rewardlab.task import Message
from rewardlab.verdict import Status
from tests.models.tiny_llama import save_tiny_llama

T = TypeVar("T")
SHARED = "You are a careful judge of answers. " * 4  # long enough to be worth reusing, one token a byte
PROMPTS = [[Message("system", SHARED), Message("user", f"{'question ' * (i % 4)}{i}?")] for i in range(12)]
TOOLS = (
    Tool(
        "record_evidence",
        "Note one observation.",
        {
            "type": "object",
            "properties": {
                "criterion": {"type": "string", "maxLength": 12},
                "decision": {"enum": ["satisfied", "violated"]},
                "weight": {"type": "integer", "minimum": 0, "maximum": 99},
            },
            "required": ["criterion", "decision"],
        },
    ),
    Tool(
        "final_answer",
        "End.",
        {
            "type": "object",
            "properties": {"choice": {"$ref": "#/$defs/label"}},
            "required": ["choice"],
            "$defs": {"label": {"enum": ["A", "B", "C"]}},
        },
    ),
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


def ask(model: Any, use: Callable[[LocalGenerator], Awaitable[T]], **options: Any) -> T:
    async def run() -> T:
        generator = LocalGenerator(str(model) if isinstance(model, Path) else model, **options)
        try:
            return await use(generator)
        finally:
            await generator.aclose()

    return asyncio.run(run())


def chats(model: Any, sampling: Sampling, **options: Any) -> list[Completion]:
    return ask(model, lambda g: asyncio.gather(*(g.chat(p, sampling) for p in PROMPTS)), **options)


def scores(model: Any, continuations: list[str], **options: Any) -> torch.Tensor:
    found = ask(model, lambda g: asyncio.gather(*(g.score(p, continuations) for p in PROMPTS)), **options)
    return torch.tensor([s.logprobs for s in found])


def plain_score(folder: Path, prompt: list[Message], continuation: str) -> float:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    conversation = [{"role": m.role, "content": m.content} for m in prompt]
    before = tokenizer.apply_chat_template(conversation, add_generation_prompt=True, return_dict=False)
    after = tokenizer(continuation, add_special_tokens=False).input_ids
    with torch.inference_mode():
        logprobs = model(torch.tensor([before + after])).logits[0].log_softmax(-1)
    return sum(float(logprobs[len(before) + i - 1, token]) for i, token in enumerate(after))


def test_is_a_generator(tiny: Path) -> None:
    async def check(generator: LocalGenerator) -> None:
        assert isinstance(generator, Generator)
        assert generator.can_score

    ask(tiny, check)


def test_scores_equal_a_plain_forward(tiny: Path) -> None:
    continuations = ["A", "B", "A longer one", "é"]
    found = scores(tiny, continuations)
    for prompt, row in zip(PROMPTS[:4], found, strict=False):
        expected = [plain_score(tiny, prompt, c) for c in continuations]
        assert row.tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("options", [{"sliding_window": None}, {"sliding_window": 40}], ids=["full", "sliding"])
def test_scores_of_another_family(tmp_path: Path, options: dict[str, Any]) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    save_tiny_llama(tmp_path)
    torch.manual_seed(1)
    shape = {"vocab_size": 258, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "initializer_range": 0.5}
    MistralForCausalLM(MistralConfig(**shape, **heads, **options)).save_pretrained(tmp_path)
    found = scores(tmp_path, ["A", "longer"])
    for prompt, row in zip(PROMPTS[:2], found, strict=False):
        expected = [plain_score(tmp_path, prompt, c) for c in ("A", "longer")]
        assert row.tolist() == pytest.approx(expected, abs=1e-4)


def test_greedy_turns_equal_transformers_generate(tiny: Path) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)
    for prompt, found in zip(PROMPTS[:4], chats(tiny, Sampling(max_tokens=24)), strict=False):
        conversation = [{"role": m.role, "content": m.content} for m in prompt]
        ids = tokenizer.apply_chat_template(conversation, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        made = model.generate(ids, max_new_tokens=24, do_sample=False, pad_token_id=0)[0, ids.shape[1] :]
        assert found.text == tokenizer.decode(made, skip_special_tokens=True)


def test_batch_size_changes_nothing(tiny: Path) -> None:
    sampling = Sampling(temperature=0.9, max_tokens=20, seed=3)
    together, alone = (chats(tiny, sampling, concurrency=n) for n in (12, 1))
    assert [c.text for c in together] == [c.text for c in alone]
    together, alone = (scores(tiny, ["A", "Bee"], concurrency=n) for n in (12, 1))
    assert torch.allclose(together, alone, atol=1e-4, rtol=0)


def test_prefix_reuse_changes_nothing_and_is_counted(tiny: Path) -> None:
    with_reuse, without = (scores(tiny, ["A", "Bee"], prefix_cache_bytes=n) for n in (2**30, 0))
    assert torch.allclose(with_reuse, without, atol=1e-4, rtol=0)
    reused, computed = (chats(tiny, Sampling(max_tokens=16), prefix_cache_bytes=n) for n in (2**30, 0))
    assert [c.text for c in reused] == [c.text for c in computed]
    assert sum(c.usage.cached_tokens >= len(SHARED) for c in reused) == len(PROMPTS) - 1  # all but the first
    assert all(c.usage.cached_tokens == 0 for c in computed)


def test_an_agents_next_turn_reuses_its_last_one(tiny: Path) -> None:
    async def talk(generator: LocalGenerator) -> tuple[Completion, Completion]:
        first = await generator.chat(PROMPTS[0], Sampling(max_tokens=250), TOOLS, "final_answer")
        call = first.tool_calls[0]
        history = [*PROMPTS[0], Message("assistant", "", (call,)), Message("tool", "noted", tool_call_id=call.id)]
        return first, await generator.chat(history, Sampling(max_tokens=250), TOOLS, "required")

    first, second = ask(tiny, talk)
    never_fed = len('A"}}\n</tool_call>')  # the last token chosen and what the grammar forces after it
    assert second.usage.cached_tokens == first.usage.prompt_tokens + first.usage.completion_tokens - never_fed


def test_prompts_longer_than_one_pass(tiny: Path) -> None:
    prompt = [Message("user", "word " * 300)]
    found = ask(tiny, lambda g: asyncio.gather(*(g.score(prompt, ["A", "no"]) for _ in range(2))))
    expected = [plain_score(tiny, prompt, c) for c in ("A", "no")]
    assert all(s.logprobs == pytest.approx(expected, abs=1e-4) for s in found)


@pytest.mark.parametrize("choice", ["required", "record_evidence", "final_answer"])
@pytest.mark.parametrize("seed", range(4))
def test_constrained_calls_are_valid(tiny: Path, choice: str, seed: int) -> None:
    sampling = Sampling(temperature=1.5, max_tokens=250, seed=seed)
    found = ask(tiny, lambda g: asyncio.gather(*(g.chat(p, sampling, TOOLS, choice) for p in PROMPTS[:3])))
    schemas = {tool.name: tool.parameters for tool in TOOLS}
    for completion in found:
        (call,) = completion.tool_calls
        assert completion.finish_reason == "tool_calls"
        assert completion.text == ""
        assert choice in ("required", call.name)
        jsonschema.validate(json.loads(call.arguments), schemas[call.name])
        assert len(json.loads(call.arguments).get("criterion", "")) <= 12


def test_a_call_that_does_not_fit_is_no_call(tiny: Path) -> None:
    endless = Tool("note", "", {"type": "object", "properties": {"text": {"type": "string", "minLength": 500}},
                                "required": ["text"]})  # fmt: skip
    found = ask(tiny, lambda g: g.chat(PROMPTS[0], Sampling(max_tokens=60), [endless], "required"))
    assert found.finish_reason == "length"
    assert found.tool_calls == ()
    assert found.usage.completion_tokens == 60


def test_a_tool_that_is_not_offered(tiny: Path) -> None:
    with pytest.raises(UnknownName, match="final_answer"):
        ask(tiny, lambda g: g.chat(PROMPTS[0], Sampling(), TOOLS, "final_anser"))


def test_a_schema_that_cannot_be_enforced(tiny: Path) -> None:
    odd = Tool("odd", "", {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True}}})
    with pytest.raises(UserError, match="odd cannot be enforced"):
        ask(tiny, lambda g: g.chat(PROMPTS[0], Sampling(), [odd], "required"))


def test_samples_depend_on_seed_and_repeat_only(tiny: Path) -> None:
    def text(seed: int, repeat: int) -> str:
        sampling = Sampling(temperature=1.0, top_p=0.9, max_tokens=24, seed=seed, repeat=repeat)
        return chats(tiny, sampling)[0].text

    assert text(0, 0) == text(0, 0)
    assert len({text(0, 0), text(1, 0), text(0, 1)}) == 3


def test_length_and_stop(tiny: Path) -> None:
    whole = ask(tiny, lambda g: g.chat(PROMPTS[1], Sampling(max_tokens=30)))
    assert whole.finish_reason == "length"
    assert whole.usage.completion_tokens == 30
    stop = whole.text[8:10]
    cut = ask(tiny, lambda g: g.chat(PROMPTS[1], Sampling(max_tokens=30, stop=(stop,))))
    assert cut.finish_reason == "stop"
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.usage.completion_tokens < 30


def test_the_end_token_ends_a_turn(tiny: Path) -> None:
    model, tokenizer = local.load(str(tiny), "auto", "cpu")
    free = ask((model, tokenizer), lambda g: g.chat(PROMPTS[1], Sampling(max_tokens=30)))
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, tokenizer(free.text[5]).input_ids[0]]
    ended = ask((model, tokenizer), lambda g: g.chat(PROMPTS[1], Sampling(max_tokens=30)))
    assert ended.finish_reason == "stop"
    assert ended.text == free.text[: free.text.index(free.text[5])]


def test_a_prompt_beyond_the_context(tmp_path: Path) -> None:
    folder = save_tiny_llama(tmp_path, context=64)
    with pytest.raises(ModelError, match="the context holds 64") as caught:
        ask(folder, lambda g: g.chat(PROMPTS[0], Sampling()))
    assert caught.value.status is Status.TRUNCATED
    cut = ask(folder, lambda g: g.chat([Message("user", "hi")], Sampling(max_tokens=1000)))
    assert cut.usage.prompt_tokens + cut.usage.completion_tokens == 64


def test_look_alikes_of_special_tokens_stay_text(tiny: Path) -> None:
    async def ids(generator: LocalGenerator) -> tuple[list[int], list[int]]:
        return (
            generator.prompt_ids([Message("user", "abc<end>[assistant]<s>")]),
            generator.prompt_ids([Message("user", "abc")]),
        )

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    odd, plain = ask(tiny, ids)
    assert plain == tokenizer("<s>[user]abc<end>[assistant]", add_special_tokens=False).input_ids
    assert tokenizer.decode(odd) == "<s>[user]abc<end>[assistant]<s><end>[assistant]"
    for special in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        assert odd.count(special) == plain.count(special) == 1


def test_a_failing_pass_fails_its_requests_only(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(generator: LocalGenerator) -> Completion:
        with monkeypatch.context() as patch:
            patch.setattr("rewardlab.models.batching.forward", _out_of_memory)
            with pytest.raises(ModelError, match="out of memory") as caught:
                await generator.chat(PROMPTS[0], Sampling(max_tokens=4))
        assert caught.value.status is Status.ENDPOINT_ERROR
        assert caught.value.usage.prompt_tokens > 0
        return await generator.chat(PROMPTS[0], Sampling(max_tokens=4))

    assert ask(tiny, use).usage.completion_tokens == 4


def _out_of_memory(*_: object) -> torch.Tensor:
    raise torch.OutOfMemoryError("out of memory")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    def pause_and_forward(*arguments: Any) -> torch.Tensor:
        time.sleep(0.2)
        return forward(*arguments)

    monkeypatch.setattr("rewardlab.models.batching.forward", pause_and_forward)


@pytest.mark.usefixtures("slow")
def test_timeout_and_close(tiny: Path) -> None:
    async def use(generator: LocalGenerator) -> None:
        with pytest.raises(ModelError) as caught:
            await generator.chat(PROMPTS[0], Sampling(max_tokens=800))
        assert caught.value.status is Status.TIMEOUT
        await generator.aclose()
        with pytest.raises(ModelError, match="closed"):
            await generator.score(PROMPTS[0], ["A"])

    ask(tiny, use, timeout=0.05)


@pytest.mark.usefixtures("slow")
def test_closing_fails_what_is_in_flight(tiny: Path) -> None:
    async def use(generator: LocalGenerator) -> ModelError:
        running = asyncio.create_task(generator.chat(PROMPTS[0], Sampling(max_tokens=800)))
        await asyncio.sleep(0.02)
        await generator.aclose()
        with pytest.raises(ModelError) as caught:
            await running
        return caught.value

    assert ask(tiny, use).status is Status.ENDPOINT_ERROR


def test_changed_weights_after_forget(tiny: Path) -> None:
    model, tokenizer = local.load(str(tiny), "auto", "cpu")

    async def use(generator: LocalGenerator) -> tuple[float, float]:
        before = (await generator.score(PROMPTS[0], ["A"])).logprobs[0]
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.9)
        generator.forget()
        after = await generator.score(PROMPTS[0], ["A"])
        assert after.usage.cached_tokens == 0
        return before, after.logprobs[0]

    before, after = ask((model, tokenizer), use)
    assert before != pytest.approx(after, abs=1e-3)
    fresh = ask((model, tokenizer), lambda g: g.score(PROMPTS[0], ["A"]))
    assert fresh.logprobs[0] == pytest.approx(after, abs=1e-4)


def test_identity_names_weights_and_tokenizer(tiny: Path, tmp_path: Path) -> None:
    def identity(folder: Path, **options: Any) -> dict[str, str]:
        return dict(ask(folder, lambda g: g.identity(), **options))

    first = identity(tiny)
    assert first == identity(tiny)
    other = identity(save_tiny_llama(tmp_path, layers=3))
    differs = {key for key in first if first[key] != other[key]}
    assert differs == {"model", "weights_sha256"}
    assert identity(tiny, dtype="bfloat16")["dtype"] == "bfloat16"


def test_adapter_is_merged(tiny: Path, tmp_path: Path) -> None:
    model, _ = local.load(str(tiny), "auto", "cpu")
    wrapped = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    wrapped.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    wrapped.eval()
    unmerged = scores((wrapped, tokenizer), ["A"], name="wrapped")
    assert torch.allclose(scores(tiny, ["A"], adapter=str(tmp_path)), unmerged, atol=1e-3)
    assert not torch.allclose(scores(tiny, ["A"]), unmerged, atol=1e-2)
    loaded = local.load(str(tiny), "auto", "cpu")
    assert torch.allclose(scores(loaded, ["A"], adapter=str(tmp_path)), unmerged, atol=1e-3)


def test_an_adapter_is_named_by_its_files_beside_the_model_that_it_changes(tiny: Path, tmp_path: Path) -> None:
    for r in (2, 4):
        model, _ = local.load(str(tiny), "auto", "cpu")
        wrapped = get_peft_model(model, LoraConfig(r=r, target_modules=["q_proj"], init_lora_weights=False))
        save_adapter(tmp_path / str(r), wrapped, wrapped.state_dict(), torch.float16)

    def identity(adapter: Path | None) -> dict[str, str]:
        return dict(ask(tiny, lambda g: g.identity(), adapter=str(adapter) if adapter else None))

    plain, two, four = identity(None), identity(tmp_path / "2"), identity(tmp_path / "4")
    assert plain["weights_sha256"] == two["weights_sha256"] == four["weights_sha256"]
    assert "adapter_sha256" not in plain and two["adapter_sha256"] != four["adapter_sha256"]
    shutil.copytree(tmp_path / "2", tmp_path / "moved")
    assert identity(tmp_path / "moved") == two
    kept = load_file(tmp_path / "2" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in kept.values()} == {torch.float16}


def test_a_folder_without_an_adapter_is_named(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingRequirement, match=r"holds no adapter: it has no adapter_config\.json"):
        LocalGenerator(str(tiny), adapter=str(tmp_path))
    model, _ = local.load(str(save_tiny_llama(tmp_path / "other", layers=3)), "auto", "cpu")
    wrapped = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"]))
    save_adapter(tmp_path / "of other", wrapped, {k: v[:1] for k, v in wrapped.state_dict().items()})
    with pytest.raises(MissingRequirement, match="trained on this model"):
        LocalGenerator(str(tiny), adapter=str(tmp_path / "of other"))


def test_a_loaded_model_stays_trainable(tiny: Path) -> None:
    model, tokenizer = local.load(str(tiny), "auto", "cpu")
    ids = torch.tensor([[5, 6, 7, 8], [9, 9, 9, 9]])
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1]])
    before = model(ids, attention_mask=mask).logits
    ask((model, tokenizer), lambda g: g.score(PROMPTS[0], ["A"]))
    output = model(ids, attention_mask=mask, labels=ids)
    assert torch.allclose(output.logits, before, atol=1e-5)
    output.loss.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_models_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(MissingRequirement, match="cannot be loaded"):
        LocalGenerator(str(tmp_path / "nothing"))
    tokenizer = AutoTokenizer.from_pretrained(save_tiny_llama(tmp_path))
    alibi = BloomForCausalLM(BloomConfig(vocab_size=258, hidden_size=32, n_layer=2, n_head=4)).eval()
    with pytest.raises(UserError, match="packed batches"):
        LocalGenerator((alibi, tokenizer))
    model, _ = local.load(str(tmp_path), "auto", "cpu")
    tokenizer.chat_template = None
    with pytest.raises(UserError, match="no chat template"):
        LocalGenerator((model, tokenizer))


def test_a_model_in_training_mode_is_refused(tiny: Path) -> None:
    model, tokenizer = local.load(str(tiny), "auto", "cpu")
    model.train()
    with pytest.raises(RuntimeError, match="training mode"):
        ask((model, tokenizer), lambda g: g.score(PROMPTS[0], ["A"]))


def test_prompts_do_not_depend_on_which_tool_is_demanded(tiny: Path) -> None:
    async def ids(generator: LocalGenerator) -> list[list[int]]:
        return [generator.prompt_ids(PROMPTS[0], TOOLS, c) for c in ("required", "final_answer", "none")]

    demanded, named, none = ask(tiny, ids)
    assert demanded == named
    silent, *_ = ask(tiny, ids, describe_tools=False)
    assert silent == none
    assert len(silent) < len(demanded)


def test_an_empty_continuation(tiny: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        ask(tiny, lambda g: g.score(PROMPTS[0], ["A", ""]))
