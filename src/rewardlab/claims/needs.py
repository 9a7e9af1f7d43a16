"""What run a claim needs, and which of the finished runs is one.

A run fits a need when model, judge, information setting, benchmark, data and protocol are all what the need says. A run
of the same judge on the same benchmark that differs in any of them is near: it is shown beside the claim, with both
settings named, and never decides it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rewardlab.claims.registry import Arm, DataSet, Prediction, Reported
from rewardlab.evaluation.finished import FinishedRun


@dataclass(frozen=True, slots=True)
class Need:
    """One run that a claim needs.

    Attributes:
        arm: The judge.
        data: What it judges.
        model: The model's name; "" for a judge without one.
        command: What makes the run.
    """

    arm: Arm
    data: DataSet
    model: str
    command: str

    def wanted(self) -> dict[str, str]:
        """Field to the value that a run must have."""
        hashes = {"data.sha256": " or ".join(self.data.sha256)} if self.data.sha256 else {}
        return {
            "model": self.model or "none",
            "setting": self.arm.setting,
            **self.arm.identity,
            **self.data.identity,
            **hashes,
        }

    def differences(self, run: FinishedRun) -> dict[str, tuple[str, str]]:
        """Field to (wanted, found), for every field in which a run is not what is needed."""
        found: Mapping[str, str] = {**run.identity, "model": run.model or "none", "setting": run.setting}
        return {
            field: (wanted, found.get(field, "absent"))
            for field, wanted in self.wanted().items()
            if not _fits(field, wanted, found.get(field, "absent"))
        }

    def related(self, runs: Sequence[FinishedRun]) -> list[FinishedRun]:
        """The runs of this judge on this benchmark, the nearest first."""
        of_arm = [run for run in runs if (run.benchmark, run.judge) == (self.data.benchmark, self.arm.judge)]
        return sorted(of_arm, key=lambda run: (len(self.differences(run)), run.run_id))

    def fitting(self, runs: Sequence[FinishedRun]) -> list[FinishedRun]:
        """The runs that are what is needed."""
        return [run for run in self.related(runs) if not self.differences(run)]


def needs(claim: Reported | Prediction) -> tuple[Need, ...]:
    """The runs that a claim needs; none when nothing here stands for its arm or its data yet."""
    if isinstance(claim, Prediction):
        arms = [claim.arm, *([claim.against] if claim.against else [])]
        return tuple(Need(arm, claim.data, claim.model if arm.asks_model else "", claim.experiment) for arm in arms)
    if claim.arm is None:
        return ()
    model = claim.model if claim.arm.asks_model else ""
    return tuple(Need(claim.arm, data, model, _command(claim.arm, data, model)) for data in claim.data)


def _command(arm: Arm, data: DataSet, model: str) -> str:
    served = f"model=endpoint {shlex.quote(f'model.name={model}')} model.base_urls=[URL]" if model else "model=none"
    return f"python experiments/evaluate.py {arm.overrides} {data.overrides} {served}"


def _fits(field: str, wanted: str, found: str) -> bool:
    if field == "model":
        return _bare(wanted) == _bare(found)
    if field == "data.sha256":
        return found in wanted.split(" or ")
    return wanted == found


def _bare(model: str) -> str:
    """A model's name without its owner: servers report Qwen/Qwen3.5-27B and Qwen3.5-27B alike."""
    return model.rsplit("/", 1)[-1].casefold()
