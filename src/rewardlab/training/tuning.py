"""Which weights are trained, and how fast: the whole model, a LoRA adapter, or the head on a frozen backbone.

With a frozen backbone its hidden states at the tokens that are read are computed once (`models.frozen_features`), so a
head is trained in seconds, and other seeds and other labels for the same texts cost nothing more.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rewardlab.models.embedded import load_embedded
from rewardlab.models.frozen_features import FrozenFeatures
from rewardlab.models.local import load
from rewardlab.models.reward_checkpoint import EMBEDDED, Tuning, load_backbone
from rewardlab.models.reward_model import Head, RewardModel, make_head
from rewardlab.models.reward_prompt import Encoded


@dataclass(frozen=True, slots=True)
class Lora:
    """A low-rank adapter (Hu et al., arXiv 2106.09685) on every linear layer.

    Attributes:
        r: Rank.
        alpha: Scale; the update is multiplied by alpha / r.
    """

    r: int = 16
    alpha: int = 32


@dataclass(frozen=True, slots=True)
class Optimisation:
    """How the weights are moved: AdamW, linear warm-up, then linear decay to zero.

    Attributes:
        epochs: Passes over the training data.
        batch_size: Examples (pairs, solutions) of a batch in each process.
        accumulate: Batches of one step.
        learning_rate: At its highest; about 1e-5 for a full model, 1e-4 for LoRA, 1e-3 for a head alone.
        warmup: Share of the steps before the highest rate.
        weight_decay: Of weights that have at least two dimensions.
        clip: Largest norm of the gradient; 0 for no limit.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    accumulate: int = 1
    warmup: float = 0.1
    weight_decay: float = 0.0
    clip: float = 1.0


def build(head: Head, backbone: str, tuning: Tuning, lora: Lora, seed: int) -> tuple[RewardModel, Any]:
    """A reward model to be trained, on the CPU in fp32, and its tokenizer.

    Args:
        head: Which head; its fresh weights and those of an adapter depend on `seed` alone.
        backbone: "embedded", a name on the hub, or a folder.
        tuning: What is trained; everything else requires no gradient.
        lora: For "lora".
        seed: Of fresh weights.

    Raises:
        MissingRequirement: When the backbone cannot be loaded.
    """
    body, tokenizer = load_backbone(backbone, torch.float32, "cpu")
    width = int(body.config.hidden_size)  # type: ignore[arg-type, union-attr]
    # Only the global generator decides fresh weights of torch and peft; it is put back afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = make_head(head, width)
        if tuning == "lora":
            body = with_lora(body, lora, "FEATURE_EXTRACTION", backbone)
    if tuning == "frozen":
        body.requires_grad_(False)
    return RewardModel(body, fresh), tokenizer


def build_causal(backbone: str, lora: Lora, seed: int) -> tuple[Any, Any]:
    """A causal language model with a fresh adapter to be trained, on the CPU in fp32, and its tokenizer.

    Args:
        backbone: "embedded", a name on the hub, or a folder.
        lora: The adapter.
        seed: Of its fresh weights.

    Raises:
        MissingRequirement: When the backbone cannot be loaded.
    """
    model, tokenizer = load_embedded() if backbone == EMBEDDED else load(backbone, "float32", "cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return with_lora(model, lora, "CAUSAL_LM", backbone), tokenizer


def with_lora(body: Any, lora: Lora, task: str, backbone: str) -> Any:
    """A transformer in a `PeftModel`, the adapter's weights drawn from torch's global generator.

    Args:
        body: The transformer; from now on only the adapter's weights require gradients.
        lora: The adapter.
        task: Of peft's `TaskType`.
        backbone: What the adapter's settings shall call the transformer, and not the cache folder of this machine.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    config = LoraConfig(task_type=TaskType[task], r=lora.r, lora_alpha=lora.alpha, target_modules="all-linear")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of transformers, at how peft asks it something
        model = get_peft_model(body, config)
    config.base_model_name_or_path = backbone
    return model


def features(model: RewardModel, inputs: Sequence[Encoded]) -> list[Tensor]:
    """States of a frozen backbone for training inputs, on an accelerator where there is one.

    Args:
        model: Its backbone is not trained; on the CPU, and there again afterwards.
        inputs: Any number.

    Returns:
        For each input a tensor (positions, width), on the CPU in fp32.
    """
    model.to("cuda" if torch.cuda.is_available() else "cpu").train(False)
    states = FrozenFeatures(model).states(inputs)
    model.to("cpu")
    return states


def make_optimizer(model: torch.nn.Module, optimisation: Optimisation, batches: int) -> dict[str, Any]:
    """AdamW with linear warm-up and linear decay over all steps of a run, as Lightning wants it.

    Args:
        model: Whose trained weights are moved.
        optimisation: How.
        batches: Of one epoch.
    """
    moving = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in moving if p.ndim >= 2], "weight_decay": optimisation.weight_decay},
        {"params": [p for p in moving if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=optimisation.learning_rate)
    total = optimisation.epochs * -(-batches // optimisation.accumulate)
    warm = max(1, round(total * optimisation.warmup))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (total - step) / max(1, total - warm))
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def trainable(weights: dict[str, Tensor], model: torch.nn.Module) -> dict[str, Tensor]:
    """The part of a state dict that training moves; frozen weights need no place in a checkpoint."""
    moving = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    return {name: tensor for name, tensor in weights.items() if name in moving}
