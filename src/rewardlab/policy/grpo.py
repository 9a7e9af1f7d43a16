"""GRPO as a way of training: a policy, tasks and a reward, put together for `training.run`.

Before the first step the reward's needs are checked, it learns and prepares prompts where that is its kind, the
reference answer is made sure to be hidden, and prompts that do not fit are dropped and counted.

The final numbers, all in one flat mapping of metrics.json:

    <exam>/accuracy, /share, ...   graders' verdicts on the policy's most likely answers; "test/accuracy" is the result
    <exam>/reward                  what the training reward says of the same answers
    <exam>/length                  words of an answer
    gap                            train/reward - test/share: what the reward promises and the graders do not find; both
                                   give credit for each part of what is asked
    zero_variance                  share of groups all of whose rewards were equal
    rollouts, groups, masked/<status>, skipped/<reason>, judge_calls, judge_prompt_tokens, judge_completion_tokens,
    executions                     counts over the whole training
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from rewardlab.errors import UserError
from rewardlab.evaluation.loop import LoopThread
from rewardlab.models.local import LocalGenerator
from rewardlab.models.protocol import Generator
from rewardlab.policy.exam import Exam
from rewardlab.policy.loss import Objective
from rewardlab.policy.model import Policy, Source
from rewardlab.policy.module import GrpoModule, Rollouts
from rewardlab.policy.reward import Need, Prompt, RewardMethod, check_hidden, check_needs
from rewardlab.policy.tasks import Tasks
from rewardlab.training.intake import Intake
from rewardlab.training.method import digest
from rewardlab.training.tuning import Optimisation

_WEIGHTS = "policy.trained."  # where the module keeps what is saved


class Grpo:
    """Training of a policy against a reward.

    Args:
        policy: What is trained.
        tasks: Questions and exams.
        reward: What scores rollouts.
        rollouts: How they are made and used.
        objective: What is minimised.
        optimisation: How weights are moved; a batch is one of prompts, an epoch a pass over all of them.
        seed: Of an adapter's fresh weights, of rollouts and of their order.
        max_prompt: Most tokens of a prompt; longer ones are dropped.
        max_dropped: Largest share of prompts that may be dropped.
        artifacts: A folder for a reward that learns from one.
        judge_model: The language model behind the reward, for the run identity.
    """

    def __init__(
        self,
        policy: Source,
        tasks: Tasks,
        reward: RewardMethod,
        rollouts: Rollouts,
        objective: Objective,
        optimisation: Optimisation,
        seed: int,
        max_prompt: int = 1024,
        max_dropped: float = 0.01,
        artifacts: str | None = None,
        judge_model: Generator | None = None,
    ) -> None:
        self.name = f"{policy.name}-{reward.name}"
        self._source, self._tasks, self._reward = policy, tasks, reward
        self._rollouts, self._objective, self._optimisation, self._seed = rollouts, objective, optimisation, seed
        self._max_prompt, self._max_dropped = max_prompt, max_dropped
        self._artifacts = Path(artifacts) if artifacts else None
        self._judge_model = judge_model
        self._intake = Intake()
        self._loop = LoopThread()
        self._prompts: list[Prompt] = []
        self._initial = ""
        self._seconds: Mapping[str, float] = {}

    def prepare(self) -> GrpoModule:
        """Load the policy, prepare the reward and the prompts, and check everything. Raises as `Method.prepare`."""
        policy = self._source.load(bool(self._objective.kl), self._seed)
        self._initial = policy.initial
        self._prompts = self._fitting(policy, self._prepared(policy))
        return GrpoModule(
            policy=policy,
            method=self._reward,
            prompts=self._prompts,
            validation=self._tasks.validation,
            final=self._tasks.final,
            rollouts=self._rollouts,
            objective=self._objective,
            optimisation=self._optimisation,
            seed=self._seed,
            loop=self._loop,
        )

    def data(self) -> Mapping[str, Any]:
        """Tasks, the policy before training, and what stands behind the reward."""
        exams = {exam.name: exam.prompts for exam in (*self._tasks.validation, *self._tasks.final)}
        return {
            "tasks": self._tasks.name,
            "prompts": len(self._prompts),
            "sha256": digest({"train": _rows(self._prompts), **{name: _rows(asked) for name, asked in exams.items()}}),
            "policy_sha256": self._initial,
            "reward": dict(self._reward.identity()),
            "judge_model": dict(self._loop.run(self._judge_model.identity())) if self._judge_model else {},
        }

    def counts(self) -> Mapping[str, Any]:
        """Which arm this is, and prompts kept and dropped."""
        arm = {"policy": self._source.name, "reward": self._reward.name, "tasks": self._tasks.name, "seed": self._seed}
        return {**arm, **self._intake.counts()}

    def outputs(self, module: GrpoModule) -> Sequence[Mapping[str, Any]]:
        """Of each question of the final exams what the graders and the reward say of the policy's answer."""
        return module.answered

    def evaluate(self, module: GrpoModule) -> Mapping[str, float]:
        """The final numbers; the module's docstring says what they are."""
        self._seconds = dict(module.seconds)
        counts, results = module.scorer.counts, module.results
        found = {**results, **{name: float(n) for name, n in sorted(counts.items())}}
        found["zero_variance"] = counts["skipped/no spread"] / max(1, counts["groups"])
        if "train/reward" in results and "test/share" in results:
            found["gap"] = results["train/reward"] - results["test/share"]
        return found

    def save(self, folder: Path, module: GrpoModule, weights: Mapping[str, Tensor]) -> None:
        """Save the adapter or the model in the folder's subfolder policy/."""
        trained = {n.removeprefix(_WEIGHTS): tensor for n, tensor in weights.items() if n.startswith(_WEIGHTS)}
        module.policy.save(folder / "policy", trained)

    def seconds(self) -> Mapping[str, float]:
        """Wall time of this session by phase, for the manifest."""
        return {name: round(value, 3) for name, value in self._seconds.items()}

    def _prepared(self, policy: Policy) -> Sequence[Prompt]:
        """The prompts as the reward wants them, with nothing in them that they must not tell."""
        prompts, reward = self._tasks.train, self._reward
        generator = None
        if Need.POLICY in reward.needs:
            generator = LocalGenerator((policy.packed, policy.tokenizer), name=self._source.name)
        check_needs(reward, prompts, generator, self._artifacts)
        if Need.ARTIFACTS in reward.needs and self._artifacts:
            self._loop.run(reward.fit(self._artifacts))
        prepared = self._loop.run(reward.prepare(prompts, generator))
        if generator:
            self._loop.run(generator.aclose())
        check_needs(reward, prepared, generator, self._artifacts)
        check_hidden(prepared, prompts)
        return prepared

    def _fitting(self, policy: Policy, prompts: Sequence[Prompt]) -> list[Prompt]:
        kept = []
        for prompt in prompts:
            if (length := len(policy.prompt_ids(prompt.messages))) > self._max_prompt:
                self._intake.drop("too long", f"{prompt.id}: {length} tokens, and max_prompt is {self._max_prompt}")
            else:
                kept.append(prompt)
        self._intake.kept = len(kept)
        self._intake.check("prompts", self._max_dropped, 1.0)
        self._check_context(policy, kept)
        return kept

    def _check_context(self, policy: Policy, prompts: Sequence[Prompt]) -> None:
        exams: Sequence[Exam] = (*self._tasks.validation, *self._tasks.final)
        asked = [*prompts, *(prompt for exam in exams for prompt in exam.prompts)]
        longest = max(len(policy.prompt_ids(prompt.messages)) for prompt in asked)
        context = getattr(policy.packed.config, "max_position_embeddings", None) or 2**31
        wanted = longest + self._rollouts.decoding.max_tokens
        if wanted > context:
            raise UserError(
                f"a prompt of {longest} tokens and an answer of up to {self._rollouts.decoding.max_tokens} need "
                f"{wanted} tokens, and the policy's context holds {context}\n  to mend it: lower "
                "method.rollouts.decoding.max_tokens, or leave out longer prompts"
            )


def _rows(prompts: Sequence[Prompt]) -> list[Any]:
    return [
        [prompt.id, [[m.role, m.content] for m in prompt.messages], [[r.id, r.content] for r in prompt.resources]]
        for prompt in prompts
    ]
