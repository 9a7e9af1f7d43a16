"""Random models of other architectures through the local generator: each must score as a plain forward pass does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from rewardlab.errors import UserError
from rewardlab.models.local import LocalGenerator
from rewardlab.models.protocol import Sampling
from tests.models.test_local import PROMPTS, ask, chats, plain_score, scores
from tests.models.tiny_llama import save_tiny_llama

SHAPE = {"vocab_size": 258, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
COMMON: dict[str, Any] = {
    **SHAPE, **HEADS, "max_position_embeddings": 2048, "initializer_range": 0.3,
    "bos_token_id": 256, "eos_token_id": 257, "pad_token_id": 257,
}  # fmt: skip


def llama3(t: Any) -> PreTrainedModel:
    rope = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64, "rope_theta": 10000.0}  # fmt: skip
    return t.LlamaForCausalLM(t.LlamaConfig(**COMMON, rope_parameters=rope, tie_word_embeddings=True))


def qwen2(t: Any) -> PreTrainedModel:
    return t.Qwen2ForCausalLM(t.Qwen2Config(**COMMON))


def qwen3(t: Any) -> PreTrainedModel:
    return t.Qwen3ForCausalLM(t.Qwen3Config(**COMMON))


def qwen3_moe(t: Any) -> PreTrainedModel:
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    return t.Qwen3MoeForCausalLM(t.Qwen3MoeConfig(**COMMON, **experts))


def gemma(t: Any) -> PreTrainedModel:
    return t.GemmaForCausalLM(t.GemmaConfig(**COMMON))


def gemma3(t: Any) -> PreTrainedModel:
    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    return t.Gemma3ForCausalLM(
        t.Gemma3TextConfig(**COMMON, sliding_window=24, layer_types=kinds, query_pre_attn_scalar=8)
    )


def phi3(t: Any) -> PreTrainedModel:
    return t.Phi3ForCausalLM(t.Phi3Config(**COMMON))


def olmo2(t: Any) -> PreTrainedModel:
    return t.Olmo2ForCausalLM(t.Olmo2Config(**COMMON))


def gpt_neox(t: Any) -> PreTrainedModel:
    settings = {k: v for k, v in COMMON.items() if k not in ("num_key_value_heads", "head_dim")}
    return t.GPTNeoXForCausalLM(t.GPTNeoXConfig(**settings))


RUN = [llama3, qwen2, qwen3, qwen3_moe, gemma, gemma3, phi3, olmo2, gpt_neox]


def saved(build: Callable[[Any], PreTrainedModel], folder: Path) -> Path:
    import transformers

    save_tiny_llama(folder)
    torch.manual_seed(1)
    build(transformers).eval().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("build", RUN)
def test_it_scores_as_a_plain_pass_in_any_batch_and_with_reuse(
    build: Callable[[Any], PreTrainedModel], tmp_path: Path
) -> None:
    folder = saved(build, tmp_path)
    together = scores(folder, ["A", "longer"])
    for prompt, row in zip(PROMPTS[:2], together, strict=False):
        assert row.tolist() == pytest.approx([plain_score(folder, prompt, c) for c in ("A", "longer")], abs=2e-4)
    alone = scores(folder, ["A", "longer"], concurrency=1, prefix_cache_bytes=0)
    assert torch.allclose(together, alone, atol=2e-4, rtol=0)
    sampling = Sampling(temperature=0.8, max_tokens=8, seed=1)
    texts, one_by_one = (chats(folder, sampling, concurrency=n) for n in (12, 1))
    assert [c.text for c in texts] == [c.text for c in one_by_one]


def soft_capped(t: Any) -> PreTrainedModel:
    return t.Gemma2ForCausalLM(t.Gemma2Config(**COMMON, attn_logit_softcapping=0.5, query_pre_attn_scalar=8))


def state_space(t: Any) -> PreTrainedModel:
    return t.MambaForCausalLM(t.MambaConfig(vocab_size=258, hidden_size=16, num_hidden_layers=2, state_size=4))


def sinks(t: Any) -> PreTrainedModel:
    settings = COMMON | {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 24}
    model = t.GptOssForCausalLM(t.GptOssConfig(**settings))
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.sinks.fill_(2.0)
    return model


@pytest.mark.parametrize("build", [soft_capped, state_space, sinks])
def test_attention_that_is_not_plain_softmax_is_refused_and_said(
    build: Callable[[Any], PreTrainedModel], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"cannot run in packed batches.*Serve it and use an endpoint"):
        LocalGenerator(str(saved(build, tmp_path)))


def test_a_template_without_a_system_role_gets_the_system_text_with_the_first_message(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(save_tiny_llama(tmp_path))
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        + tokenizer.chat_template
    )
    tokenizer.save_pretrained(tmp_path)

    async def prompt(generator: LocalGenerator) -> list[int]:
        return generator.prompt_ids(PROMPTS[0])

    system, user = (message.content for message in PROMPTS[0])
    assert tokenizer.decode(ask(tmp_path, prompt)) == f"<s>[user]{system}\n\n{user}<end>[assistant]"


def test_bfloat16_scores_are_those_of_fp32_to_its_precision(tmp_path: Path) -> None:
    folder = saved(qwen3, tmp_path)
    exact, rough = (scores(folder, ["A", "B"], dtype=dtype) for dtype in ("float32", "bfloat16"))
    assert torch.allclose(exact, rough, atol=0.15, rtol=0.05)
    assert not torch.equal(exact, rough)
