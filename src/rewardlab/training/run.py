"""One training run, from config to a run folder that tells what happened and holds what was trained.

    identity.json     as of every run; a folder of another identity is refused
    resume.ckpt       the place to resume from, while the run is under way
    curve.jsonl       every logged number by step
    model/            reward_model.json and the trained weights as safetensors
    outputs.jsonl.zst what the trained model says of each example of the final numbers, without texts
    metrics.json      data counts and final numbers; equal for equal runs on one machine
    manifest.json     written last

The same command again resumes: weights, optimiser, schedule, order of the data and the curve go on as if nothing had
happened. A finished run is only read. The weights kept are the last ones; nothing is selected by validation numbers.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from rewardlab.evaluation.session import deciding_part
from rewardlab.store.atomic import canonical_json, write_bytes, write_json, write_text
from rewardlab.store.folder import RunFolder, compressed
from rewardlab.store.identity import Identity, code_hash, make_identity, run_id
from rewardlab.store.manifest import make_manifest
from rewardlab.training.checkpoints import Resumable
from rewardlab.training.curve import Curve
from rewardlab.training.finished import OUTPUTS
from rewardlab.training.method import Method
from rewardlab.training.speed import Speed
from rewardlab.verdict import Usage

# The code that decides what is trained.
TRAINING_CODE = (
    "training",
    "models",
    "benchmarks/verifiable",
    "benchmarks/rows.py",
    "benchmarks/hh_rlhf.py",
    "randomness.py",
)

CHECKPOINT = "resume.ckpt"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and how training runs: Lightning's settings.

    Attributes:
        accelerator: "auto", "cpu", "gpu", ...
        devices: Of each node.
        num_nodes: Nodes.
        strategy: "auto", "ddp", "fsdp", or any other of Lightning's.
        precision: "auto" (bf16-mixed on accelerators, else fp32), or one of Lightning's.
        validate_every: Batches between validations.
        checkpoint_every: Steps between checkpoints.
        log_every: Steps between points of the curve.
    """

    accelerator: str
    devices: int | str
    num_nodes: int
    strategy: str
    precision: str
    validate_every: int
    checkpoint_every: int
    log_every: int


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training run.

    Attributes:
        folder: Where it is.
        metrics: Content of metrics.json.
        steps_now: Steps made in this session.
    """

    folder: Path
    metrics: Mapping[str, Any]
    steps_now: int


def train(
    config: DictConfig,
    code: tuple[str, ...] = TRAINING_CODE,
    details: Callable[[Any], Mapping[str, Any]] = lambda method: {},
) -> Trained | None:
    """Train as a composed config of experiments/train_reward_model.py says.

    Args:
        config: Its sections `method` and `train`, and where results go.
        code: Files and packages that decide what is trained.
        details: From the method, after the end, to what else belongs in the manifest; it may differ between equal runs.

    Returns:
        The finished run; None in processes other than the first one.

    Raises:
        UserError: When something is missing or wrong; nothing of an earlier run is changed.
    """
    started = time.monotonic()
    method: Method = instantiate(config.method)
    machine: Machine = instantiate(config.train)
    module = method.prepare()
    identity = _identity(config, method, code)
    folder = Path(config.results_dir) / config.experiment_name / f"{method.name}-{run_id(identity)}"
    curve, speed = Curve(machine.log_every), Speed()
    trainer = make_trainer(machine, config.method.optimisation, folder, [curve, speed])
    if not trainer.is_global_zero:
        fit(trainer, module, folder)
        trainer.strategy.lightning_module_state_dict()  # where weights are sharded, all processes gather them
        return None
    home = RunFolder(folder, identity)
    if home.finished:
        return Trained(folder, json.loads((folder / "metrics.json").read_text(encoding="utf-8")), 0)
    fit(trainer, module, folder)
    weights = trainer.strategy.lightning_module_state_dict()
    method.save(folder / "model", module, weights)
    metrics = {
        "method": method.name,
        "data": method.counts(),
        "steps": trainer.global_step,
        "final": dict(method.evaluate(module)),
        "last": {name: curve.last(name) for name in sorted({point["name"] for point in curve.points})},
    }
    write_bytes(folder / OUTPUTS, compressed(map(canonical_json, method.outputs(module))))
    timed = {"speed": speed.report(), **_device(trainer), **details(method)}
    _write(home, identity, curve, metrics, timed, started)
    return Trained(folder, metrics, speed.steps)


def make_trainer(
    machine: Machine, optimisation: Mapping[str, Any], folder: Path, callbacks: list[L.Callback]
) -> L.Trainer:
    """Lightning's Trainer for a run.

    Args:
        machine: Where it runs.
        optimisation: `epochs`, `accumulate` and `clip` of the method's optimisation.
        folder: The run folder; the checkpoint goes into it.
        callbacks: In addition to the one that writes the checkpoint.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    checkpoints = Resumable(folder / CHECKPOINT, machine.checkpoint_every, machine.validate_every)
    precision: Any = machine.precision
    if precision == "auto":
        on_cpu = machine.accelerator == "cpu" or not torch.cuda.is_available()
        precision = "32-true" if on_cpu else "bf16-mixed"
    return L.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.num_nodes,
        strategy=machine.strategy,
        precision=precision,
        max_epochs=optimisation["epochs"],
        accumulate_grad_batches=optimisation["accumulate"],
        gradient_clip_val=optimisation["clip"] or None,
        val_check_interval=machine.validate_every,
        check_val_every_n_epoch=None,  # counts batches across epochs
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # the batches know their process
        callbacks=[*callbacks, checkpoints],
        logger=False,
        default_root_dir=folder,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
    )


def fit(trainer: L.Trainer, module: L.LightningModule, folder: Path) -> None:
    """Train to the end, from the checkpoint where there is one, and compute the final outputs."""
    resume = folder / CHECKPOINT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(module, ckpt_path=str(resume) if resume.exists() else None)
        trainer.test(module, verbose=False)


def _identity(config: DictConfig, method: Method, code: tuple[str, ...]) -> Identity:
    return make_identity(
        {
            "method": deciding_part(config.method),
            "train": {name: config.train[name] for name in ("devices", "num_nodes", "strategy", "precision")},
            "seed": config.seed,
            "data": method.data(),
            "training_code": code_hash(code),
        }
    )


def _device(trainer: L.Trainer) -> dict[str, Any]:
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"device": name, "processes": trainer.world_size, "precision": trainer.precision}


def _write(
    home: RunFolder,
    identity: Identity,
    curve: Curve,
    metrics: Mapping[str, Any],
    details: Mapping[str, Any],
    started: float,
) -> None:
    write_text(home.path / "curve.jsonl", "".join(f"{canonical_json(point)}\n" for point in curve.points))
    write_json(home.path / "metrics.json", metrics)
    seconds = time.monotonic() - started
    manifest = make_manifest(identity, [], Usage(), seconds, seconds, {"method": metrics["method"], **details})
    write_json(home.path / "manifest.json", manifest)
    (home.path / CHECKPOINT).unlink(missing_ok=True)
