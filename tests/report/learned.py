"""Finished training runs to report on: folders as `rewardlab.training.run` and a policy run write them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rewardlab.store.atomic import canonical_json, write_json, write_text
from rewardlab.store.identity import make_identity, run_id


def learned_run(
    parent: Path, metrics: Mapping[str, Any], identity: Mapping[str, Any], curve: Mapping[str, list[float]]
) -> Path:
    """A run folder; the n-th value of a curve is logged at step 10 n."""
    flat = make_identity(identity)
    folder = parent / f"{metrics['method']}-{run_id(flat)}"
    points = [
        {"step": 10 * n, "name": name, "value": value} for name, of in curve.items() for n, value in enumerate(of, 1)
    ]
    write_text(folder / "curve.jsonl", "".join(f"{canonical_json(point)}\n" for point in points))
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "identity.json", flat)
    manifest = {"run_id": run_id(flat), "identity": flat, "git_commit": "0123456789ab", "method": metrics["method"]}
    write_json(folder / "manifest.json", manifest)
    return folder


def reward_model(parent: Path, seed: int, accuracy: float, tuning: str = "lora") -> Path:
    """A trained reward model."""
    final = {"accuracy": accuracy, "accuracy/math": accuracy, "longest": 0.5}
    metrics = {"method": "bradley_terry", "data": {"kept": 90}, "steps": 40, "final": final}
    identity = {"method": {"tuning": tuning}, "seed": seed, "data": {"preferences": "verifiable", "sha256": str(seed)}}
    return learned_run(parent, metrics, identity, {"validation/accuracy": [0.5, accuracy]})


def policy(
    parent: Path, reward: str, seed: int, held_out: float, promised: float = 0.9, flat: float = 0.25, **further: float
) -> Path:
    """A policy trained under a reward, with the numbers that `rewardlab.policy.grpo` documents, and further ones."""
    final = {
        "test/accuracy": held_out,
        "test/share": held_out + 0.2,
        "heldout/accuracy": held_out + 0.1,
        "train/accuracy": 0.5,
        "train/reward": promised,
        "test/length": 20.0,
        "gap": promised - held_out - 0.2,
        "zero_variance": flat,
        "rollouts": 400.0,
        "masked/timeout": 4.0,
        "judge_calls": 400.0,
        "judge_prompt_tokens": 8000.0,
        "judge_completion_tokens": 1000.0,
        **further,
    }
    data = {"policy": "tiny", "reward": reward, "tasks": "sums", "seed": seed, "kept": 90}
    metrics = {
        "method": f"tiny-{reward}",
        "data": data,
        "steps": 50,
        "final": final,
        "last": {"train/entropy": 0.7},
    }
    curve = {"validation/dev/accuracy": [0.1, held_out], "train/reward": [0.2, promised]}
    return learned_run(parent, metrics, {"method": {"reward": {"names": reward}}, "seed": seed}, curve)
