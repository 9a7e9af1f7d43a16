"""Tuning a judge: supervised fine-tuning on demonstrations, with loss on the judge's own tokens alone.

Which judge is tuned is a matter of the judges that the expert plays: the static judge, which answers at once or reasons
first, or the skill judge with its tools. The backbone, the tasks and their order are the same for all of them, so arms
can be matched by examples (`examples`), by the tokens that training computes (`tokens`), or by both. What is kept is a
low-rank adapter; evaluate.py loads it with `model.adapter=`.

What it does not do: reinforcement learning on the verdict, which is the next step after imitation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rewardlab.errors import UserError
from rewardlab.models.adapter import save_adapter
from rewardlab.models.chat_prompt import ChatPrompt
from rewardlab.models.local import end_tokens
from rewardlab.models.reward_model import RewardBatch, beginnings
from rewardlab.models.reward_prompt import Encoded
from rewardlab.models.tool_text import as_prompt
from rewardlab.sandbox.protocol import Sandbox
from rewardlab.task import Message, Setting
from rewardlab.training.batches import Batches
from rewardlab.training.demonstrations import Demonstration, JudgeMaker, Turn, demonstrations
from rewardlab.training.intake import Intake
from rewardlab.training.judging_tasks import JudgingTasks, Posed
from rewardlab.training.likelihood import Likelihood
from rewardlab.training.method import digest
from rewardlab.training.module import Batch, Item, RewardModule, gathered
from rewardlab.training.tuning import Lora, Optimisation, build_causal


class ImitationModule(RewardModule):
    """A judge in training; an item is a conversation, read at the tokens before the judge's own.

    Args:
        kinds: A number for each training example; batches hold one kind as far as they can, because texts of one kind
            share a beginning that is computed once.
        options: Those of `RewardModule`; the model is a `Likelihood`.
    """

    def __init__(self, *, kinds: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self._kinds = kinds

    def train_dataloader(self) -> Batches[Item, Batch]:
        """Batches for this process."""
        longest = max((item.tokens for item in self.train_items), default=0)
        places = [kind * longest + item.tokens for kind, item in zip(self._kinds, self.train_items, strict=True)]
        size, trainer = self._optimisation.batch_size, self.trainer
        rank, world = trainer.global_rank, trainer.world_size
        return Batches(self.train_items, places, size, computed_once, self._seed, rank, world)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean negative log-likelihood of the judge's tokens."""
        return -outputs[:, 0].mean()

    def metrics(self, outputs: Sequence[Tensor], items: Sequence[Item]) -> Mapping[str, float]:
        """Loss, and the share of conversations of which the model would write every token, given those before."""
        if not items:
            return {}
        return {"loss": float(-torch.cat(list(outputs))[:, 0].mean()), "exact": exact(outputs)}


def exact(outputs: Sequence[Tensor]) -> float:
    """Share of conversations of which every token is the likeliest one."""
    return sum(bool(output[:, 1].all()) for output in outputs) / max(1, len(outputs))


def computed_once(items: Sequence[Item]) -> Batch:
    """Items as one batch; tokens that are computed once for several of them count once."""
    batch = gathered(items)
    assert isinstance(batch.inputs, RewardBatch)
    return batch._replace(tokens=batch.tokens - beginnings(batch.inputs).saved)


class _Part(NamedTuple):
    """The demonstrations of one part of the data, and their conversations in the same order."""

    shown: list[Demonstration]
    inputs: list[list[Encoded]]


class JudgeTuning:
    """Tuning of a judge.

    Args:
        tasks: What is judged.
        judges: For each setting the judge to imitate, still without its model; one for "standard" stands in for a
            missing one.
        arm: What to call the arm, in the name of the run folder.
        sandbox: Where the expert computes.
        backbone: "embedded", a name on the hub, or a folder.
        describe_tools: As the model will be run: whether its prompts describe the tools on offer.
        optimisation: How weights are moved.
        seed: Of fresh weights and the order of the data.
        lora: The adapter.
        examples: Train on the first that many demonstrations; None for all.
        tokens: Train on as many of them as keep the tokens that training computes, over all epochs, below this; None
            for no limit.
        max_length: Most tokens of a conversation; longer ones are dropped.
        max_dropped: Largest share of tasks without a usable demonstration.
    """

    def __init__(
        self,
        tasks: JudgingTasks,
        judges: Mapping[str, JudgeMaker],
        arm: str,
        sandbox: Sandbox,
        backbone: str,
        describe_tools: bool,
        optimisation: Optimisation,
        seed: int,
        lora: Lora,
        examples: int | None = None,
        tokens: int | None = None,
        max_length: int = 2048,
        max_dropped: float = 0.1,
    ) -> None:
        self.name = f"judge_{arm}"
        self._tasks, self._sandbox = tasks, sandbox
        self._judges = {setting: judges.get(setting.value, judges["standard"]) for setting in Setting}
        self._backbone, self._describe_tools = backbone, describe_tools
        self._optimisation, self._seed, self._lora = optimisation, seed, lora
        self._examples, self._tokens = examples, tokens
        self._max_length, self._max_dropped = max_length, max_dropped
        self._intake = Intake()
        self._parts: tuple[_Part, _Part] = (_Part([], []), _Part([], []))
        self._planned = 0.0

    def prepare(self) -> ImitationModule:
        """Have the expert judge, encode what it did, and build the model. Raises as `Method.prepare`."""
        model, tokenizer = build_causal(self._backbone, self._lora, self._seed)
        prompt, ends = ChatPrompt(tokenizer), end_tokens(model, tokenizer)
        train, validation = (self._part(prompt, ends, tasks) for tasks in (self._tasks.train, self._tasks.validation))
        self._intake.check("judgments of the expert", self._max_dropped, 0.0)
        train = self._within_budget(train)
        self._parts = (train, validation)
        kinds = {kind: number for number, kind in enumerate(dict.fromkeys(map(_beginning, train.shown)))}
        final = _items(validation)
        return ImitationModule(
            kinds=[kinds[_beginning(d)] for d, found in zip(*train, strict=True) for _ in found],
            model=Likelihood(model),
            train=_items(train),
            validation=final,
            final=final,
            optimisation=self._optimisation,
            seed=self._seed,
        )

    def data(self) -> Mapping[str, Any]:
        """Source, numbers, and a hash over all conversations."""
        rows = [[[d.place, [list(x) for x in found]] for d, found in zip(*part, strict=True)] for part in self._parts]
        return {
            "tasks": self._tasks.name,
            "demonstrations": len(rows[0]),
            "validation_demonstrations": len(rows[1]),
            "sha256": digest(rows),
        }

    def counts(self) -> Mapping[str, Any]:
        """Demonstrations made and dropped, those that training uses, and its tokens."""
        used = self._parts[0]
        own = sum(len(x.at) for found in used.inputs for x in found)
        epochs = self._optimisation.epochs
        return {
            **self._intake.counts(),
            "used_for_training": len(used.shown),
            "own_tokens": own * epochs,
            "computed_tokens": round(self._planned),
        }

    def outputs(self, module: RewardModule) -> Sequence[Mapping[str, Any]]:
        """Of each validation conversation its family, the judge's tokens, their mean loss, whether all are exact."""
        shown = [d for d, found in zip(*self._parts[1], strict=True) for _ in found]
        return [
            {
                "family": d.family,
                "tokens": len(outputs),
                "loss": round(-float(outputs[:, 0].mean()), 6),
                "exact": bool(outputs[:, 1].all()),
            }
            for d, outputs in zip(shown, module.final_outputs, strict=True)
        ]

    def evaluate(self, module: RewardModule) -> Mapping[str, float]:
        """Loss and exact conversations over the validation demonstrations, and exact ones by family."""
        shown = [d for d, found in zip(*self._parts[1], strict=True) for _ in found]
        outputs = list(module.final_outputs)
        families = {family: [o for d, o in zip(shown, outputs, strict=True) if d.family == family] for family in
                    sorted({d.family for d in shown})}  # fmt: skip
        return {
            **module.metrics(outputs, module.final_items),
            **{f"exact/{family}": exact(found) for family, found in families.items()},
        }

    def save(self, folder: Path, module: RewardModule, weights: Mapping[str, Tensor]) -> None:
        """Save the adapter, in half precision."""
        inner = {name.removeprefix("model.model."): tensor for name, tensor in weights.items()}
        folder.mkdir(parents=True, exist_ok=True)
        save_adapter(folder, module.model.model, inner, torch.float16)

    def _part(self, prompt: ChatPrompt, ends: Sequence[int], tasks: Sequence[Posed]) -> _Part:
        part = _Part([], [])
        for shown in demonstrations(tasks, self._judges, self._sandbox, self._intake):
            found = conversations(prompt, ends, shown.turns, self._describe_tools)
            longest = max(len(x.ids) for x in found)
            if longest > self._max_length:
                problem = f"{shown.place}: {longest} tokens, and max_length is {self._max_length}"
                self._intake.drop("too long", problem)
                continue
            self._intake.kept += 1
            part.shown.append(shown)
            part.inputs.append(found)
        return part

    def _within_budget(self, part: _Part) -> _Part:
        """The beginning of the training data that `examples` and `tokens` allow.

        Raises:
            UserError: When there are too few demonstrations to use a budget up, or the budget is too small for one.
        """
        epochs, costs = self._optimisation.epochs, computed_tokens(part, self._optimisation.batch_size)
        spent = [cost * epochs for cost in accumulate(costs)]
        used, limited = len(spent), self._examples is None and self._tokens is None
        if self._tokens is not None and spent[-1] > self._tokens:
            used, limited = sum(total <= self._tokens for total in spent), True
        if self._examples is not None and used >= self._examples:
            used, limited = self._examples, True
        if not used or not limited:
            raise UserError(
                f"{len(spent)} demonstrations of {spent[-1]:.0f} tokens do not fit method.examples={self._examples}, "
                f"method.tokens={self._tokens}\n  to mend it: change these, or raise data.per_family"
            )
        self._planned = spent[used - 1]
        return _Part(part.shown[:used], part.inputs[:used])


def conversations(
    prompt: ChatPrompt, ends: Sequence[int], turns: Sequence[Turn], describe_tools: bool
) -> list[Encoded]:
    """Token ids of a demonstration, to be read at each token before one of the judge's own.

    A turn whose prompt goes on from the one before, answer included, is part of the same conversation; one whose prompt
    differs (the tools on offer have changed, and the prompt describes them) begins another.

    Args:
        prompt: Renders as the model will be asked.
        ends: Token ids that end a turn.
        turns: In order.
        describe_tools: Whether prompts describe the tools on offer.
    """
    found: list[Encoded] = []
    for turn in turns:
        asked = as_prompt(turn.messages, turn.tools if describe_tools else (), turn.tool_choice)
        before = prompt.ids(asked)
        whole = prompt.ids([*asked, Message("assistant", turn.text)], answered=True)
        if whole[: len(before)] != before:
            raise ValueError("the chat template writes an answered turn otherwise than one that is to be answered")
        at = tuple(range(len(before) - 1, _end(whole, ends) - 1))
        ids = tuple(whole[: at[-1] + 2])
        if found and ids[: len(found[-1].ids)] == found[-1].ids:
            at = found.pop().at + at
        found.append(Encoded(ids, at))
    return found


def _end(ids: Sequence[int], ends: Sequence[int]) -> int:
    """How many tokens there are up to and with the last one that ends a turn; all of them without one."""
    return next((place + 1 for place in reversed(range(len(ids))) if ids[place] in ends), len(ids))


def computed_tokens(part: _Part, batch_size: int) -> list[float]:
    """Tokens that training computes for each demonstration: its own, and its share of what its kind begins with."""
    kinds = [_beginning(d) for d in part.shown]
    shared: dict[str, int] = {}
    for kind in set(kinds):
        texts = [x for k, found in zip(kinds, part.inputs, strict=True) if k == kind for x in found]
        alike = takewhile(lambda column: len(set(column)) == 1, zip(*(x.ids for x in texts), strict=False))
        shared[kind] = min(len(list(alike)), *(x.at[0] for x in texts))
    return [
        sum(len(x.ids) - shared[kind] * (1 - 1 / batch_size) for x in found)
        for kind, found in zip(kinds, part.inputs, strict=True)
    ]


def _beginning(demonstration: Demonstration) -> str:
    """What all demonstrations of a kind begin with: the system message."""
    return demonstration.turns[0].messages[0].content


def _items(part: _Part) -> list[Item]:
    return [Item((x,), ()) for found in part.inputs for x in found]
