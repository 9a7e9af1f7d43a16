"""Low-rank adapters (PEFT) on the disk, and merged into a model for inference.

An adapter is kept in half precision, which a few significant digits of a small update survive, so that the adapters of
a paper fit beside its results. Who an adapter is, is a hash of its files: merging multiplies matrices, and the last bit
of what comes out may differ between machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rewardlab.errors import MissingRequirement

FILES = ("adapter_config.json", "adapter_model.safetensors")


def adapter_sha256(folder: str | Path) -> str:
    """SHA-256 over an adapter's settings and weights.

    Raises:
        MissingRequirement: When the folder holds no adapter.
    """
    digest = hashlib.sha256()
    for name in FILES:
        path = Path(folder) / name
        if not path.is_file():
            raise MissingRequirement(f"{folder} holds no adapter: it has no {name}", "give the folder of an adapter")
        digest.update(path.read_bytes())
    return digest.hexdigest()


def merged(model: Any, folder: str | Path) -> Any:
    """The model with an adapter merged into its weights, which are changed in place.

    Args:
        model: The transformer that the adapter was trained on.
        folder: Of the adapter.

    Raises:
        MissingRequirement: When the adapter cannot be loaded, or belongs to another kind of model.
    """
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    except (OSError, ValueError, RuntimeError) as error:
        what = f"the adapter {str(folder)!r} cannot be loaded: {error}"
        raise MissingRequirement(what, "give the folder of an adapter that was trained on this model") from error


def save_adapter(folder: Path, model: Any, weights: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> None:
    """Write the adapter of a `PeftModel` as peft does.

    Args:
        folder: Gets adapter_config.json and adapter_model.safetensors.
        model: The `PeftModel`.
        weights: Its state dict, whole also where training sharded it.
        dtype: Of the weights on the disk; None for that of the state dict.
    """
    kept = {name: tensor.to(dtype or tensor.dtype) for name, tensor in weights.items() if "lora_" in name}
    model.save_pretrained(folder, state_dict=kept, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # peft's form to fill in, which nobody has
    (folder / "adapter_model.safetensors").chmod(0o644)  # made private; results are to be shared
