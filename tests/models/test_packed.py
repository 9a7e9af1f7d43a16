"""Log-probabilities with gradients from packed passes, against ordinary passes over each sequence."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from rewardlab.models.packed import Group, adopt, logprobs
from tests.models.tiny_llama import save_tiny_llama

GROUPS: list[Group] = [
    ([5, 9, 2, 60, 3], [[7, 8, 9], [11], [7, 8, 9, 10, 40]]),
    ([4], [[6, 6]]),
    ([8, 7, 6], [[1], [2]]),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedModel:
    folder = save_tiny_llama(tmp_path_factory.mktemp("tiny"))
    loaded: PreTrainedModel = adopt(AutoModelForCausalLM.from_pretrained(folder).eval())
    return loaded


def plain(model: PreTrainedModel, temperature: float) -> list[torch.Tensor]:
    found = []
    for prompt, answers in GROUPS:
        for answer in answers:
            ids = torch.tensor([[*prompt, *answer]])
            rows = torch.log_softmax(model(input_ids=ids).logits[0] / temperature, -1)
            place = torch.arange(len(prompt) - 1, len(prompt) + len(answer) - 1)
            found.append(rows[place, torch.tensor(list(answer))])
    return found


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_values_and_gradients_are_those_of_ordinary_passes(model: PreTrainedModel, temperature: float) -> None:
    weight = model.get_input_embeddings().weight
    gradients = []
    for rows in (plain(model, temperature), logprobs(model, GROUPS, temperature)):
        model.zero_grad()
        torch.cat([row * torch.arange(1, len(row) + 1) for row in rows]).sum().backward()
        assert weight.grad is not None
        gradients.append((rows, weight.grad.clone()))
    (expected, of_expected), (found, of_found) = gradients
    assert [len(row) for row in found] == [len(row) for row in expected]
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-4)
    assert torch.allclose(of_found, of_expected, rtol=1e-3, atol=1e-3)
