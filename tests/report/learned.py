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


def policy(parent: Path, method: str, seed: int, held_out: float, reward: float = 0.9) -> Path:
    """A policy trained under a reward method, with the layout that `rewardlab.report.tables.policy` documents."""
    metrics = {
        "policy": "tiny",
        "method": method,
        "steps": 50,
        "before": {"sums": 0.1, "words": 0.2},
        "held_out": {"sums": held_out, "words": held_out + 0.1},
        "last": {"reward": reward, "length": 20.0, "entropy": 0.7, "zero_variance": 0.25, "failed": 0.0},
        "cost": {"calls": 400, "tokens": 9000, "seconds": 12.5},
    }
    curve = {"validation/accuracy": [0.1, held_out], "train/reward": [0.2, reward]}
    return learned_run(parent, metrics, {"method": method, "seed": seed}, curve)
