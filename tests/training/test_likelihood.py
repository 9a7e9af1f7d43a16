from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import Gemma2Config, Gemma2ForCausalLM

from rewardlab.errors import UserError
from rewardlab.models.reward_model import beginnings, collate
from rewardlab.models.reward_prompt import Encoded
from rewardlab.training.likelihood import Likelihood
from rewardlab.training.tuning import Lora, build_causal
from tests.training.tiny import backbone


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Likelihood:
    adapted, _ = build_causal(str(backbone(tmp_path_factory.mktemp("base"))), Lora(4, 8), seed=0)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:  # as if trained: a fresh adapter changes nothing
            torch.nn.init.normal_(weight, std=0.3, generator=torch.Generator().manual_seed(1))
    return Likelihood(adapted)


def texts(shared: int, *own: int) -> list[Encoded]:
    draw = torch.Generator().manual_seed(shared)
    beginning = torch.randint(3, 250, (shared,), generator=draw).tolist()
    found = []
    for count in own:
        ids = (*beginning, *torch.randint(3, 250, (count,), generator=draw).tolist())
        found.append(Encoded(ids, (len(ids) - 6, len(ids) - 3, len(ids) - 2)))
    return found


def gradients(model: Likelihood, outputs: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    outputs[:, 0].sum().backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("shared", [0, 5, 40])
def test_a_shared_beginning_changes_neither_values_nor_gradients(model: Likelihood, shared: int) -> None:
    batch = texts(shared, 9, 30, 14)
    assert beginnings(collate(batch)).length == shared
    together = model(collate(batch))
    alone = torch.cat([model(collate([text])) for text in batch])
    assert torch.allclose(together, alone, atol=1e-5)
    of_together, of_alone = gradients(model, together), gradients(model, alone)
    assert of_together.keys() == of_alone.keys() and all("lora_" in name for name in of_alone)
    for name, gradient in of_alone.items():
        assert torch.allclose(of_together[name], gradient, atol=1e-5 * float(gradient.abs().max())), name


def test_it_reads_what_the_model_says_of_the_next_token(model: Likelihood) -> None:
    (text,) = texts(20, 12)
    logits = model.model(input_ids=torch.tensor([text.ids])).logits[0]
    following = [text.ids[place + 1] for place in text.at]
    expected = logits.log_softmax(-1)[list(text.at), following]
    found = model(collate([text]))
    assert torch.allclose(found[:, 0], expected, atol=1e-5)
    assert found[:, 1].tolist() == [float(logits[p].argmax() == f) for p, f in zip(text.at, following, strict=True)]


def test_nothing_that_is_read_is_shared() -> None:
    same = Encoded(tuple(range(30)), (20, 28))
    assert beginnings(collate([same, same])).length == 20


def test_a_model_that_caps_its_logits_is_refused() -> None:
    config = Gemma2Config(
        vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, final_logit_softcapping=0.1,
    )  # fmt: skip
    with pytest.raises(UserError, match="changes its logits"):
        Likelihood(Gemma2ForCausalLM(config))
