"""Reward models on the disk and on the hub.

A folder of ours has `reward_model.json` (the card), the head as safetensors, and the adapter as peft writes it or the
whole backbone. From the Hugging Face hub come any sequence classifier with one output and a linear `score` head, and
the reward models of Qwen2.5-Math, whose heads have two layers; their own code is not run. What it does not do: encoders
that classify at the first token, and other repositories that bring their own code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging
from transformers.utils.hub import cached_file

from rewardlab.errors import BadData, MissingRequirement, UserError
from rewardlab.models.adapter import merged, save_adapter
from rewardlab.models.embedded import embedded_folder
from rewardlab.models.reward_model import Head, RewardModel, innermost, make_head, two_layers
from rewardlab.store.atomic import write_bytes, write_json

EMBEDDED = "embedded"
Tuning = Literal["full", "lora", "frozen"]


@dataclass(frozen=True, slots=True)
class Card:
    """What a saved reward model is.

    Attributes:
        head: Which head it has.
        backbone: "embedded", a name on the hub, or a folder.
        tuning: What was trained: the whole model, an adapter, or the head alone.
        step_tag: The token that a process model is read at.
    """

    head: Head
    backbone: str
    tuning: Tuning
    step_tag: str = ""


def load_backbone(name: str, dtype: torch.dtype, device: str) -> tuple[nn.Module, PreTrainedTokenizerFast]:
    """A transformer without its language head, in evaluation mode, and its tokenizer.

    Args:
        name: "embedded", a name on the Hugging Face hub, or a folder.
        dtype: Of the weights.
        device: A torch device.

    Raises:
        MissingRequirement: When it cannot be loaded.
        UserError: When its files lack weights.
    """
    backbone = _loaded(AutoModel, str(embedded_folder()) if name == EMBEDDED else name, dtype)
    return backbone.to(device).train(False), load_tokenizer(name)


def _loaded(kind: Any, name: str, dtype: torch.dtype) -> Any:
    """A model all of whose weights are in the files; transformers alone would draw missing ones at random."""
    shown = logging.get_verbosity()
    # Errors only: its report lists the unused language head, and what is missing is refused below.
    logging.set_verbosity(40)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model, report = kind.from_pretrained(name, dtype=dtype, output_loading_info=True)
    except (OSError, ValueError) as error:
        raise MissingRequirement(f"the model {name!r} cannot be loaded: {error}", _NAMES) from error
    finally:
        logging.set_verbosity(shown)
    if missing := sorted(report["missing_keys"]):
        raise UserError(f"{name!r} is not the kind of model that is needed: its files lack {', '.join(missing[:5])}")
    return model


def load_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """The tokenizer of a backbone.

    Raises:
        MissingRequirement: When it cannot be loaded or is no fast one.
    """
    if name == EMBEDDED:
        shipped: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(embedded_folder())
        return shipped
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise MissingRequirement(f"the tokenizer of {name!r} cannot be loaded: {error}", _NAMES) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise MissingRequirement(f"the model {name!r} has no fast tokenizer", "use a model with a tokenizer.json")
    return tokenizer


_NAMES = 'give "embedded", a name on the Hugging Face hub, or a folder'


def save_reward_model(folder: Path, card: Card, model: RewardModel, weights: Mapping[str, Tensor]) -> None:
    """Save what was trained.

    Args:
        folder: Gets reward_model.json, head.safetensors, and the adapter (as peft writes it) or backbone/.
        card: What the model is.
        model: The model, with a `PeftModel` as its backbone where `card.tuning` is "lora".
        weights: The model's state dict, whole also where training sharded it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = {part: _below(weights, f"{part}.") for part in ("head", "backbone")}
    head = {name: tensor.detach().cpu().contiguous() for name, tensor in parts["head"].items()}
    write_bytes(folder / "head.safetensors", save(head))
    if card.tuning == "lora":
        save_adapter(folder, model.backbone, parts["backbone"])
    elif card.tuning == "full":
        model.backbone.save_pretrained(folder / "backbone", state_dict=parts["backbone"])  # type: ignore[operator]
        load_tokenizer(card.backbone).save_pretrained(folder / "backbone")
    write_json(folder / "reward_model.json", asdict(card))


class LoadedRewardModel(NamedTuple):
    """A reward model ready for inference, its tokenizer, and what it is."""

    model: RewardModel
    tokenizer: PreTrainedTokenizerFast
    card: Card


def load_reward_model(name: str, dtype: str = "auto", device: str = "auto") -> LoadedRewardModel:
    """Load a reward model for inference.

    Args:
        name: A folder that `save_reward_model` wrote, another folder, or a name on the Hugging Face hub.
        dtype: "auto" (bfloat16 on CUDA, else float32), or the name of a torch dtype.
        device: "auto" (CUDA if there is any), or a torch device.

    Raises:
        MissingRequirement: When it cannot be loaded.
        UserError: When it is no reward model: several outputs, no `score` head, or no weights for one.
    """
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    dtype = ("bfloat16" if device.startswith("cuda") else "float32") if dtype == "auto" else dtype
    kind: torch.dtype = getattr(torch, dtype)
    if (Path(name) / "reward_model.json").exists():
        return _load_own(Path(name), kind, device)
    return _load_classifier(name, kind, device)


def _load_own(folder: Path, dtype: torch.dtype, device: str) -> LoadedRewardModel:
    try:
        card = Card(**json.loads((folder / "reward_model.json").read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BadData(str(folder / "reward_model.json"), 0, "-", str(error)) from error
    place = str(folder / "backbone") if card.tuning == "full" else card.backbone
    backbone, tokenizer = load_backbone(place, dtype, device)
    if card.tuning == "lora":
        backbone = merged(backbone, folder)
    head = make_head(card.head, innermost(backbone).config.hidden_size)
    head.load_state_dict(load_file(folder / "head.safetensors"))
    model = RewardModel(backbone, head.to(device=device, dtype=dtype))
    return LoadedRewardModel(model.train(False), tokenizer, card)


def _load_classifier(name: str, dtype: torch.dtype, device: str) -> LoadedRewardModel:
    tokenizer = load_tokenizer(name)
    if known := _QWEN.get((getattr(AutoConfig.from_pretrained(name), "architectures", None) or [""])[0]):
        backbone, weights = _loaded(AutoModel, name, dtype), _below(_stored(name, "score."), "score.")
        if not weights:
            raise UserError(f"{name!r} has no weights for its `score` head")
        layers = two_layers(backbone.config.hidden_size, known[1])
        layers.load_state_dict(weights)
        model = RewardModel(backbone, layers.to(dtype)).to(device)
        return LoadedRewardModel(model.train(False), tokenizer, Card(known[0], name, "full", known[2]))
    classifier = _loaded(AutoModelForSequenceClassification, name, dtype)
    head = getattr(classifier, "score", None)
    if classifier.config.num_labels != 1 or not isinstance(head, nn.Module):
        raise UserError(
            f"{name!r} is no scalar reward model: it has {classifier.config.num_labels} outputs and "
            f"{'a' if head is not None else 'no'} `score` head; a reward model has one output and a score head"
        )
    model = RewardModel(classifier.base_model, head).to(device)
    return LoadedRewardModel(model.train(False), tokenizer, Card("scalar", name, "full"))


# Architecture to head, outputs and step tag (Qwen/Qwen2.5-Math-RM-72B and Qwen2.5-Math-PRM-7B, modeling_qwen2_rm.py).
_QWEN: Mapping[str, tuple[Head, int, str]] = {
    "Qwen2ForRewardModel": ("scalar", 1, ""),
    "Qwen2ForProcessRewardModel": ("process", 2, "<extra_0>"),
}


def _stored(name: str, prefix: str) -> dict[str, Tensor]:
    """The tensors of a model's safetensors files whose names begin with a prefix."""
    index = cached_file(name, "model.safetensors.index.json", _raise_exceptions_for_missing_entries=False)
    places = json.loads(Path(index).read_text(encoding="utf-8"))["weight_map"] if index else {}
    files = {file for tensor, file in places.items() if tensor.startswith(prefix)} if index else {"model.safetensors"}
    tensors: dict[str, Tensor] = {}
    for file in sorted(files):
        tensors |= load_file(str(cached_file(name, file)))
    return {tensor: value for tensor, value in tensors.items() if tensor.startswith(prefix)}


def _below(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
