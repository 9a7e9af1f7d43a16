from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel, MistralConfig, MistralModel

from rewardlab.models.reward_checkpoint import load_reward_model
from rewardlab.models.reward_model import (
    RewardBatch,
    RewardModel,
    beginnings,
    by_length,
    collate,
    hidden_states,
    last_real_token,
)
from rewardlab.models.reward_prompt import Encoded, RewardPrompt
from rewardlab.task import Message
from tests.models.tiny_reward_model import save_classifier

QUESTION = (Message("user", "What is 3 + 4?"),)
ANSWERS = ["7", "It is 8.", "3 + 4 = 7. So the answer is 7.", "<end>", "a" * 90, "7 <end> 7", "no", "So " * 20]


def padded_left(batch: RewardBatch) -> RewardBatch:
    """The same inputs with their padding in front."""
    shifts = (batch.mask.shape[1] - batch.mask.sum(-1)).tolist()
    return RewardBatch(*(torch.stack([row.roll(n) for row, n in zip(t, shifts, strict=True)]) for t in batch))


@torch.inference_mode()
def scores(model: RewardModel, inputs: list[Encoded], size: int, left: bool, pad: int) -> torch.Tensor:
    batches = [collate(inputs[i : i + size], pad) for i in range(0, len(inputs), size)]
    return torch.cat([model(padded_left(b) if left else b)[:, 0] for b in batches])


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", 2e-2)])
@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_scores_do_not_depend_on_batch_size_or_padding_side(
    classifier: Path, size: int, left: bool, dtype: str, tolerance: float
) -> None:
    model, tokenizer, _ = load_reward_model(str(classifier), dtype, "cpu")
    prompt = RewardPrompt(tokenizer)
    inputs = [prompt.whole(QUESTION, answer) for answer in ANSWERS]
    alone = torch.cat([scores(model, [x], 1, False, 0) for x in inputs])
    together = scores(model, inputs, size, left, tokenizer.eos_token_id)  # pad == eos, which is in the template too
    spread = alone.max() - alone.min() if dtype == "bfloat16" else 1.0  # bf16 has three digits, whatever the size
    assert (together - alone).abs().max() <= tolerance * spread
    assert together.argsort().tolist() == alone.argsort().tolist()


def test_scores_equal_those_of_transformers_where_it_reads_the_right_token(classifier: Path) -> None:
    from transformers import LlamaForSequenceClassification

    theirs = LlamaForSequenceClassification.from_pretrained(classifier).eval()
    theirs.config.pad_token_id = None  # then it takes the last token, of one row at a time
    model, tokenizer, _ = load_reward_model(str(classifier), device="cpu")
    for answer in ANSWERS:
        x = RewardPrompt(tokenizer).whole(QUESTION, answer)
        with torch.inference_mode():
            expected = theirs(torch.tensor([x.ids])).logits[0, 0]
            assert torch.allclose(model(collate([x]))[0, 0], expected, atol=1e-5)


def test_the_whole_answer_is_read_although_end_tokens_stand_before_it(classifier: Path) -> None:
    model, tokenizer, _ = load_reward_model(str(classifier), device="cpu")
    prompt = RewardPrompt(tokenizer)
    question = (Message("user", "Hello"), Message("assistant", "Hi"), Message("user", "2 + 2?"))
    inputs = [prompt.whole(question, answer) for answer in ("It is 4.", "It is 5.")]
    assert inputs[0].ids.count(tokenizer.eos_token_id) == 4
    found = scores(model, inputs, 2, False, tokenizer.eos_token_id)
    assert abs(found[0] - found[1]) > 1e-3


SIZES = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2,
         "num_attention_heads": 2}  # fmt: skip
BEGINNING, OTHER = tuple(range(3, 33)), (3, *range(33, 62))
ONE_QUESTION = [(*BEGINNING, *own) for own in ((40, 41), (50, 51, 52, 53, 54, 55), (40,))]
PAIRS = [(*question, *own) for own in ((40, 41), (50, 51, 52)) for question in (BEGINNING, (*OTHER, 62), BEGINNING)]


@pytest.mark.parametrize(
    ("backbone", "texts", "computed"),
    [
        (lambda: LlamaModel(LlamaConfig(**SIZES)), ONE_QUESTION, [(1, 30), (3, 6)]),
        (lambda: LlamaModel(LlamaConfig(**SIZES)), PAIRS, [(2, 30), (6, 4)]),
        (lambda: LlamaModel(LlamaConfig(**SIZES)), [BEGINNING, OTHER], [(2, 30)]),  # one token is not worth a pass
        (
            lambda: MistralModel(MistralConfig(**SIZES, num_key_value_heads=1, sliding_window=8)),
            PAIRS,
            [(2, 30), (6, 4)],
        ),
        (lambda: BertModel(BertConfig(**SIZES)), PAIRS, [(6, 34)]),  # looks ahead: beginnings depend on what follows
    ],
    ids=["one question", "pairs", "nothing shared", "sliding window", "bert"],
)
def test_what_texts_begin_with_is_computed_once_and_changes_nothing(
    backbone: Callable[[], nn.Module], texts: list[tuple[int, ...]], computed: list[tuple[int, ...]]
) -> None:
    torch.manual_seed(0)
    model = backbone().eval()
    inputs = [Encoded(ids, (len(ids) - 1,)) for ids in texts]
    alone = torch.cat([hidden_states(model, collate([x])) for x in inputs])
    expected = gradients(model, alone)
    passes: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(lambda _, __, given: passes.append((*given["input_ids"].shape,)), with_kwargs=True)
    together = hidden_states(model, collate(inputs))
    assert passes == computed
    assert torch.allclose(together, alone, atol=1e-5)
    for found, wanted in zip(gradients(model, together), expected, strict=True):
        assert torch.allclose(found, wanted, atol=1e-4)


def gradients(model: nn.Module, states: torch.Tensor) -> list[torch.Tensor]:
    """Of a sum over states in which every number weighs something else."""
    total = (states * torch.linspace(-1, 1, states.numel()).view_as(states)).sum()
    return [g for g in torch.autograd.grad(total, list(model.parameters()), allow_unused=True) if g is not None]


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=6), min_size=1, max_size=6))
def test_beginnings_are_those_of_the_rows_and_none_saves_more(texts: list[list[int]]) -> None:
    batch = collate([Encoded(tuple(ids), (len(ids) - 1,)) for ids in texts])
    found = beginnings(batch)
    kept = [tuple(text[: found.length]) for text in texts]
    assert found.length < min(map(len, texts))  # what is read at is in none of them
    assert [kept[row] for row in found.rows[found.of]] == kept
    assert len({kept[row] for row in found.rows}) == len(found.rows)
    saved = max(n * (len(texts) - len({tuple(text[:n]) for text in texts})) for n in range(min(map(len, texts))))
    assert found.saved == (saved if saved > 0.05 * batch.ids.numel() else 0)


def test_the_last_real_token_comes_from_the_mask() -> None:
    mask = torch.tensor([[1, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]])
    assert last_real_token(mask).nonzero()[:, 1].tolist() == [2, 3, 0]


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 200))
def test_batches_by_length_hold_every_input_once_within_the_bound(lengths: list[int], tokens: int) -> None:
    batches = list(by_length(lengths, tokens))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(len(b) == 1 or len(b) * max(lengths[i] for i in b) <= tokens for b in batches)
