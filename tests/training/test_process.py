from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from rewardlab.judges.process import Process as ProcessJudge
from rewardlab.models.frozen_features import FrozenFeatures
from rewardlab.models.reward_prompt import RewardPrompt
from rewardlab.task import Candidate, Form, Message, Task
from rewardlab.training.annotators import Checker, Completer
from rewardlab.training.intake import Intake
from rewardlab.training.process import Process, ProcessModule, right_probabilities
from rewardlab.training.run import train
from rewardlab.training.solution_data import SolutionData, generated
from rewardlab.training.solutions import Mix, Solution
from rewardlab.training.tuning import Lora, Optimisation
from tests.training.tiny import backbone, config

ONCE = Optimisation(epochs=1, batch_size=4, learning_rate=1e-3)


def method(base: Path, solutions: SolutionData, labels: str = "gold", tuning: Any = "full") -> Process:
    return Process(solutions, labels, str(base), "<end>", tuning, ONCE, 0, Lora(r=2))


def solution(name: str, first: int, count: int = 3, **more: Any) -> Solution:
    steps = tuple("bad" if n == first else "good" for n in range(count))
    return Solution(name, "g", (Message("user", name),), steps, first, answer_right=first == -1, place=name, **more)


def data(*train: Solution) -> SolutionData:
    return SolutionData("toy", train, (solution("v", 1),), (solution("t", -1),), Intake(), "toy")


def test_training_sees_a_solution_up_to_the_labelled_error(tmp_path: Path) -> None:
    base = backbone(tmp_path / "base")
    module = method(base, data(solution("a", 1), solution("b", -1))).prepare()
    short, whole = module.train_items
    assert (short.targets, whole.targets) == ((1.0, 0.0), (1.0, 1.0, 1.0))
    assert [len(x.at) for x in (*short.inputs, *whole.inputs)] == [2, 3]
    assert short.inputs[0].at[-1] == len(short.inputs[0].ids) - 1  # nothing behind the error is read
    assert [len(item.inputs[0].at) for item in module.final_items] == [3, 3]


def test_frozen_features_are_those_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "cache"))
    base = backbone(tmp_path / "base")
    solutions = data(solution("a", 1), solution("longer question", -1, 5))
    frozen, full = (method(base, solutions, tuning=tuning).prepare() for tuning in ("frozen", "full"))
    from rewardlab.models.reward_model import collate
    from rewardlab.training.module import gathered

    for one, other in zip(frozen.train_items, full.train_items, strict=True):
        with torch.inference_mode():
            direct = full.model.hidden(collate(other.inputs))
        assert torch.allclose(one.features[0], direct, atol=1e-5)
    batch = gathered(frozen.train_items)
    assert isinstance(batch.inputs, torch.Tensor) and len(batch.inputs) == len(batch.targets) == 2 + 5


def test_cached_features_are_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "cache"))
    base = backbone(tmp_path / "base")
    solutions = data(solution("a", 1, estimates=(1.0, 0.5, 0.0)), solution("b", -1, estimates=(1.0, 1.0, 1.0)))
    method(base, solutions, "gold", "frozen").prepare()

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(FrozenFeatures, "_computed", never)
    module = method(base, solutions, "mc_hard", "frozen").prepare()  # other labels, same texts
    assert module.train_items[0].targets == (1.0, 1.0, 0.0)
    with pytest.raises(AssertionError, match="again"):
        method(base, data(solution("c", 1)), "gold", "frozen").prepare()


@pytest.mark.parametrize("soft", [False, True], ids=["cross-entropy", "squared error"])
def test_the_loss_by_hand(soft: bool) -> None:
    module = ProcessModule(
        soft=soft, model=torch.nn.Linear(1, 1), train=[], validation=[], final=[], optimisation=ONCE, seed=0
    )
    outputs = torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    p = torch.tensor([1 / (1 + torch.e**-2), 0.5])
    targets = torch.tensor([0.75, 0.5]) if soft else torch.tensor([1.0, 0.0])
    by_hand = ((p - targets) ** 2).mean() if soft else -(p[0].log() + (1 - p[1]).log()) / 2
    assert float(module.loss(outputs, targets)) == pytest.approx(float(by_hand), rel=1e-5)


def test_an_unlearned_model_is_even_handed_about_where_a_batch_came_from(tmp_path: Path) -> None:
    """Outputs of a batch are put back to the solutions that they belong to."""
    from rewardlab.models.reward_model import collate
    from rewardlab.training.module import _by_item, gathered

    module = method(backbone(tmp_path / "base"), data(solution("a", 1), solution("b", -1, 4))).prepare()
    with torch.inference_mode():
        together = _by_item(module.outputs(gathered(module.train_items)), module.train_items)
        for found, item in zip(together, module.train_items, strict=True):
            assert torch.allclose(found, module.model(collate(item.inputs)), atol=1e-5)


def learnable(path: Path) -> str:
    """Solutions whose wrong steps say so."""
    rows = []
    for n in range(160):
        count, first = 2 + n % 3, n % 5 - 1
        first = first if first < count else -1
        steps = [f"{'wrong' if i == first else 'fine'} {(n * 7 + i) % 10}" for i in range(count)]
        rows.append({"problem": f"Problem {n}", "steps": steps, "label": first})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(("tuning", "rate"), [("full", 1e-2), ("frozen", 1e-2)])
def test_it_learns_and_the_saved_model_finds_first_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tuning: str, rate: float
) -> None:
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "cache"))
    trained = train(
        config(
            "method=process",
            "data=solution_columns",
            f"data.path={learnable(tmp_path / 'solutions.jsonl')}",
            "method.labels=gold",
            f"method.backbone={backbone(tmp_path / 'base')}",
            "method.step_tag='<end>'",
            f"method.tuning={tuning}",
            f"method.optimisation.learning_rate={rate}",
            "method.optimisation.batch_size=8",
            f"method.optimisation.epochs={4 if tuning == 'full' else 30}",
            f"results_dir={tmp_path}",
        )
    )
    assert trained is not None
    final = trained.metrics["final"]
    assert final["at_0.5/f1"] > 0.9 and final["labels/kept"] == 1.0 and final["labels/wrong_index"] == 0.0
    judge = ProcessJudge(str(trained.folder / "model"), device="cpu")
    steps = ("fine 1", "wrong 2", "fine 3")
    task = Task("t", Form.STEPS, (Message("user", "Problem 7"),), (Candidate("s", "", steps),))
    assert asyncio.run(judge.judge(task)).first_error == 1


def test_the_whole_experiment_runs_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDLAB_CACHE", str(tmp_path / "cache"))
    base = backbone(tmp_path / "base")
    for labels in ("mc_soft", "consensus_hard"):
        trained = train(
            config(
                "method=process",
                f"method.labels={labels}",
                f"method.backbone={base}",
                "method.step_tag='<end>'",
                "method.optimisation.epochs=2",
                "data.problems_per_family=6",
                "data.validation_per_family=3",
                "data.test_per_family=3",
                "data.families=[chain_sum,products]",
                f"results_dir={tmp_path}",
            )
        )
        assert trained is not None
        final = trained.metrics["final"]
        assert {"at_threshold/f1", "at_0.5/error_accuracy", "at_0.5/correct_accuracy"} <= final.keys()
        assert {f"best_of_n/{name}" for name in ("product", "min", "last", "mean", "random", "oracle")} <= final.keys()
        assert (final["labels/kept"] < 1) is (labels == "consensus_hard")
        assert trained.metrics["data"]["used_for_training"] == round(final["labels/kept"] * 6 * 8 * 2)


def test_generated_data_have_problems_of_their_own_split() -> None:
    found = generated(
        4, 3, 2, 0, 5, ["chain_sum", "leg_counting"], Mix(candidates=2), Completer(), Checker(), "heldout"
    )
    assert {s.group for s in found.train} == {"chain_sum"} and {s.group for s in found.test} == {"leg_counting"}
    assert all(len(s.estimates) == len(s.steps) for s in found.train) and not found.test[0].estimates
    other = generated(
        4, 3, 2, 0, 6, ["chain_sum", "leg_counting"], Mix(candidates=2), Completer(), Checker(), "heldout"
    )
    assert [s.steps for s in other.train] == [s.steps for s in found.train]
    assert [s.estimates for s in other.train] != [s.estimates for s in found.train]


def test_probabilities_are_those_of_the_second_class() -> None:
    assert right_probabilities(torch.tensor([[0.0, 0.0], [50.0, -50.0]])) == pytest.approx((0.5, 0.0))


@pytest.mark.model
def test_the_embedded_model_takes_the_default_step_tag() -> None:
    from rewardlab.models.reward_checkpoint import load_tokenizer

    tag = config("method=process").method.step_tag
    tokenizer = load_tokenizer("embedded")
    x = RewardPrompt(tokenizer, tag).stepwise((Message("user", "2 + 2?"),), ["2 + 2 = 4", "So 4."])
    assert [tokenizer.decode([x.ids[at]]) for at in x.at] == [tag] * 2
    assert x.ids.count(x.ids[x.at[0]]) == 2
