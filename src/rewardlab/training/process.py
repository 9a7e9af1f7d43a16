"""The process reward model: for every step of a solution the probability that it is right.

Step-tag token classification as in Qwen2.5-Math-PRM (arXiv 2501.07301, section 3): two logits at a tag behind each
step, cross-entropy on hard labels, squared error of the probability on soft ones. Training sees a solution up to the
first error that its labels name. Final numbers come from solutions with known first errors: ProcessBench's F1 by group
at the threshold 0.5 and at the one that is best on the validation solutions, with both accuracies beside it, and
best-of-n by every readout; all are computed from the rows that the run keeps (`process_metrics`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rewardlab.benchmarks.processbench import accuracies, first_failing_step
from rewardlab.errors import UnknownName
from rewardlab.models.reward_checkpoint import Card, Tuning, save_reward_model
from rewardlab.models.reward_prompt import Encoded, RewardPrompt
from rewardlab.training.method import OverLong, digest, fitted
from rewardlab.training.module import Item, RewardModule
from rewardlab.training.process_metrics import Named, Scored, final_metrics
from rewardlab.training.solution_data import SolutionData
from rewardlab.training.solutions import Solution
from rewardlab.training.step_labels import Labels, hard, named_first_error, step_labels
from rewardlab.training.tuning import Lora, Optimisation, build, features


class ProcessModule(RewardModule):
    """A process reward model in training; an item is a solution, its targets the labels of its first steps.

    Args:
        soft: Whether labels are shares.
        options: Those of `RewardModule`.
    """

    def __init__(self, *, soft: bool, **options: Any) -> None:
        super().__init__(**options)
        self._soft = soft

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over labelled steps of cross-entropy (hard) or squared error (soft)."""
        if self._soft:
            return functional.mse_loss(outputs.softmax(-1)[:, 1], targets)
        return functional.cross_entropy(outputs, targets.long())

    def metrics(self, outputs: Sequence[Tensor], items: Sequence[Item]) -> Mapping[str, float]:
        """Cross-entropy up to the first error, and at the threshold 0.5 ProcessBench's accuracies and F1 over all.

        The targets of validation items are the true labels up to the first error.
        """
        if not items:
            return {}
        logits = torch.cat([output[: len(item.targets)] for output, item in zip(outputs, items, strict=True)])
        targets = torch.tensor([target for item in items for target in item.targets])
        true = [first_failing_step(item.targets, 0.5) for item in items]
        named = [first_failing_step(right_probabilities(output), 0.5) for output in outputs]
        found = accuracies(list(zip(true, named, strict=True)))
        loss = float(functional.cross_entropy(logits, targets.long()))
        return {"loss": loss, "error_accuracy": found.error, "correct_accuracy": found.correct, "f1": found.f1}


def right_probabilities(outputs: Tensor) -> tuple[float, ...]:
    """Probability that each step is right, from logits (steps, 2)."""
    return tuple(outputs.softmax(-1)[:, 1].tolist())


class Process:
    """Training of a process reward model.

    Args:
        solutions: The data.
        labels: Which labels to train on.
        backbone: "embedded", a name on the hub, or a folder.
        step_tag: A token of the backbone's vocabulary, put behind every step.
        tuning: "full", "lora" or "frozen".
        optimisation: How weights are moved.
        seed: Of fresh weights and the order of the data.
        lora: The adapter, for "lora".
        max_length: Most tokens of an input.
        over_long: "drop" longer solutions, or "truncate" the beginning of their question.
        max_dropped: Largest share of solutions that may be dropped; the consensus filter does not count.
        max_truncated: Largest share of solutions that may be cut.
    """

    name = "process"

    def __init__(
        self,
        solutions: SolutionData,
        labels: str,
        backbone: str,
        step_tag: str,
        tuning: Tuning,
        optimisation: Optimisation,
        seed: int,
        lora: Lora,
        max_length: int = 1024,
        over_long: OverLong = "drop",
        max_dropped: float = 0.01,
        max_truncated: float = 0.05,
    ) -> None:
        if labels not in list(Labels):
            raise UnknownName("labels", labels, Labels)
        self._solutions = solutions
        self._labels = Labels(labels)
        self._card = Card("process", backbone, tuning, step_tag)
        self._optimisation, self._seed, self._lora = optimisation, seed, lora
        self._max_length, self._over_long = max_length, over_long
        self._max_dropped, self._max_truncated = max_dropped, max_truncated
        self._kept: list[list[Solution]] = []
        self._used = 0

    def prepare(self) -> ProcessModule:
        """Encode and label the solutions and build the model. Raises as `Method.prepare`."""
        model, tokenizer = build("process", self._card.backbone, self._card.tuning, self._lora, self._seed)
        prompt = RewardPrompt(tokenizer, self._card.step_tag)
        data = self._solutions
        found = [self._encoded(prompt, part) for part in (data.train, data.validation, data.test)]
        data.intake.check("solutions", self._max_dropped, self._max_truncated)
        self._kept = [[solution for solution, _ in part] for part in found]
        inputs = [x for part in found for _, x in part]
        states = features(model, inputs) if self._card.tuning == "frozen" else [None] * len(inputs)
        supply = iter(states)
        train, validation, test = ([(s, x, next(supply)) for s, x in part] for part in found)
        used = [
            _item(x, labels, state) for s, x, state in train if (labels := step_labels(s, self._labels)) is not None
        ]
        self._used = len(used)
        curve, final = ([_whole(s, x, state) for s, x, state in part] for part in (validation, test))
        return ProcessModule(
            soft=self._labels.soft,
            model=model,
            train=used,
            validation=curve,
            final=[*curve, *final],
            optimisation=self._optimisation,
            seed=self._seed,
        )

    def data(self) -> Mapping[str, Any]:
        """Source, number of solutions and a hash over them."""
        rows = [[asdict(solution) for solution in part] for part in self._kept]
        train, validation, test = map(len, rows)
        return {
            "solutions": self._solutions.name,
            "source": self._solutions.source,
            "train": train,
            "validation": validation,
            "test": test,
            "sha256": digest([[{**row, "place": ""} for row in part] for part in rows]),
        }

    def counts(self) -> Mapping[str, Any]:
        """Solutions kept, dropped and cut, and those that training uses."""
        return {**self._solutions.intake.counts(), "used_for_training": self._used}

    def outputs(self, module: RewardModule) -> Sequence[Mapping[str, Any]]:
        """Where the annotators put first errors, and what the model says of every solution with a known one."""
        named, scored = self._named(), self._scored(module)
        return [*map(asdict, named), *map(asdict, scored)]

    def evaluate(self, module: RewardModule) -> Mapping[str, float]:
        """The numbers of `process_metrics.final_metrics`."""
        return final_metrics(self._named(), self._scored(module))

    def save(self, folder: Path, module: RewardModule, weights: Mapping[str, Tensor]) -> None:
        """Save head, and adapter or backbone."""
        inner = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
        save_reward_model(folder, self._card, module.model, inner)

    def _named(self) -> list[Named]:
        return [Named(s.problem, s.group, s.first_error, named_first_error(s, self._labels)) for s in self._kept[0]]

    def _scored(self, module: RewardModule) -> list[Scored]:
        parts = [("validation", solution) for solution in self._kept[1]] + [("test", s) for s in self._kept[2]]
        answers = Counter((part, s.problem, s.answer) for part, s in parts if s.answer)
        found = []
        for (part, s), outputs in zip(parts, module.final_outputs, strict=True):
            assert s.first_error is not None
            steps = tuple(round(p, 6) for p in right_probabilities(outputs))
            votes = answers[part, s.problem, s.answer]
            found.append(Scored(part, s.problem, s.group, s.first_error, s.answer_right, votes, steps))
        return found

    def _encoded(self, prompt: RewardPrompt, solutions: Sequence[Solution]) -> list[tuple[Solution, Encoded]]:
        intake = self._solutions.intake
        found = []
        for solution in solutions:
            encoded = prompt.stepwise(solution.question, solution.steps)
            inputs = fitted([encoded], self._max_length, self._over_long, intake, solution.place)
            if inputs is not None:
                intake.kept += 1
                found.append((solution, inputs[0]))
        return found


def _item(x: Encoded, labels: tuple[float, ...], states: Tensor | None) -> Item:
    """A solution up to its last labelled step."""
    at = x.at[: len(labels)]
    return Item((Encoded(x.ids[: at[-1] + 1], at),), labels, () if states is None else (states[: len(at)],))


def _whole(solution: Solution, x: Encoded, states: Tensor | None) -> Item:
    """A whole solution with its true labels up to the first error."""
    assert solution.first_error is not None
    return Item((x,), hard(len(solution.steps), solution.first_error), () if states is None else (states,))
