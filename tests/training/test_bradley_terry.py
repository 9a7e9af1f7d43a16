from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from rewardlab.errors import UserError
from rewardlab.judges.scalar import Scalar
from rewardlab.task import Candidate, Form, Message, Task
from rewardlab.training.bradley_terry import bradley_terry_loss
from rewardlab.training.run import train
from tests.training.tiny import backbone, config


def test_the_loss_by_hand() -> None:
    chosen, rejected, margin = (torch.tensor(values) for values in ([1.0, 0.0], [0.5, 2.0], [0.0, 1.0]))
    by_hand = [math.log(1 + math.exp(-0.5)), math.log(1 + math.exp(3.0))]
    assert float(bradley_terry_loss(chosen, rejected, margin, 0.0)) == pytest.approx(np.mean(by_hand), rel=1e-6)
    centred = np.mean([by_hand[0] + 0.1 * 1.5**2, by_hand[1] + 0.1 * 2.0**2])
    assert float(bradley_terry_loss(chosen, rejected, margin, 0.1)) == pytest.approx(centred, rel=1e-6)


def test_centring_pulls_the_sum_and_leaves_the_gap_alone() -> None:
    rewards = torch.tensor([3.0, 1.0], requires_grad=True)
    bradley_terry_loss(rewards[:1], rewards[1:], torch.zeros(1), 0.5).backward()
    pull, gap = rewards.grad.sum(), rewards.grad[0] - rewards.grad[1]  # type: ignore[union-attr, index]
    assert float(pull) == pytest.approx(2 * 2 * 0.5 * 4.0)
    assert float(gap) == pytest.approx(-2 * (1 - 1 / (1 + math.exp(-2.0))))


def learnable(path: Path, count: int = 120) -> str:
    """Pairs whose better answer says yes, whatever the question."""
    rows = [{"q": f"Question {n}?", "c": f"yes {'x' * (n % 7)}", "r": f"no {'x' * (n % 5)}"} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(("tuning", "rate"), [("full", 1e-2), ("lora", 3e-2), ("frozen", 3e-2)])
def test_it_learns_and_the_saved_model_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tuning: str, rate: float
) -> None:
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "cache"))
    trained = train(
        config(
            "data=preference_columns",
            f"data.path={learnable(tmp_path / 'pairs.jsonl')}",
            "data.chosen=c",
            "data.rejected=r",
            "data.question=q",
            f"method.backbone={backbone(tmp_path / 'base')}",
            f"method.tuning={tuning}",
            "method.lora.r=4",
            f"method.optimisation.learning_rate={rate}",
            "method.optimisation.epochs=3",
            f"results_dir={tmp_path}",
        )
    )
    assert trained is not None
    assert trained.metrics["final"]["accuracy"] >= 0.9
    assert trained.metrics["last"]["train/loss"] < 0.4 < 0.6 < first_loss(trained.folder)
    judge = Scalar(str(trained.folder / "model"), device="cpu")
    task = Task("t", Form.PAIR, (Message("user", "Question 5?"),), (Candidate("a", "no xx"), Candidate("b", "yes xx")))
    import asyncio

    assert asyncio.run(judge.judge(task)).choice == "b"


def first_loss(folder: Path) -> float:
    points = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    return float(next(p["value"] for p in points if p["name"] == "train/loss"))


def test_long_pairs_are_counted_cut_or_refused(tmp_path: Path) -> None:
    rows = [{"q": f"{n}" * (200 if n == 3 else 2), "c": "yes", "r": "no"} for n in range(1, 10)]
    rows.append({"q": "Same?", "c": "yes", "r": "yes"})
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = [
        "data=preference_columns",
        f"data.path={path}",
        "data.chosen=c",
        "data.rejected=r",
        "data.question=q",
        f"method.backbone={backbone(tmp_path / 'base')}",
        "method.tuning=full",
        "method.max_length=60",
        f"results_dir={tmp_path}",
    ]
    with pytest.raises(UserError, match=r"2 of 10 preference pairs(.|\n)*row 10: both sides are the same"):
        train(config(*options))
    dropped = train(config(*options, "method.max_dropped=0.2"))
    assert dropped is not None
    assert dropped.metrics["data"] == {
        "kept": 8,
        "dropped": {"identical pair": 1, "too long": 1},
        "truncated": 0,
        "undecided": 0,
        "unused": 0,
    }
    with pytest.raises(UserError, match="1 of 9 preference pairs are longer"):
        train(config(*options, "method.max_dropped=0.2", "method.over_long=truncate"))
    cut = train(config(*options, "method.max_dropped=0.2", "method.over_long=truncate", "method.max_truncated=0.2"))
    assert cut is not None and cut.metrics["data"]["truncated"] == 1 and cut.metrics["data"]["kept"] == 9
    assert cut.folder != dropped.folder
