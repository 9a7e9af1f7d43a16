"""The register of claims: numbers that the paper reports, and predictions of our own made before the runs.

`paper/claims.yaml` is data. Beside the claims it names `arms`, which say what judge of ours stands for an arm, `data`,
which say what a run must have judged and by which rule, `trainings`, and `faults` of the released protocol; claims
refer to these by id. Loading puts the referred entries in their place, so that a claim holds all that its verdict
needs.

What a run must be is said as fields of its identity (`limit: 'null'`, `protocol: released`), because the identity is
what makes two runs the same. An entry with an unknown field, a missing one, or the id of another entry is refused by
its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rewardlab.errors import MissingRequirement, UnknownName, UserError
from rewardlab.training.figures import FIGURE

Text = Annotated[str, Field(min_length=1)]
SECTIONS = ("faults", "arms", "data", "trainings", "reported", "predictions", "trained", "taught")


class BadClaims(UserError):
    """An entry of the register that breaks its schema.

    Args:
        file: The register.
        entry: Section and id of the entry.
        problem: What is wrong with it.
    """

    def __init__(self, file: str, entry: str, problem: str) -> None:
        super().__init__(f"{file}, {entry}: {problem}")


class Entry(BaseModel):
    """What all entries share: an id, and no field that the schema does not have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Text


class Fault(Entry):
    """A fault of the protocol behind the paper's numbers.

    Attributes:
        text: What is wrong.
    """

    text: Text


class Arm(Entry):
    """A judge of ours that stands for an arm of a claim.

    Attributes:
        judge: Its name in runs.
        setting: The information setting.
        asks_model: Whether a model is behind it.
        identity: Fields of the run's identity that the arm fixes.
        overrides: What makes it, as overrides of experiments/evaluate.py.
        differs: How it differs from the arm that it stands for; "" when it is that arm itself.
    """

    judge: Text
    setting: Literal["standard", "resource"]
    asks_model: bool = True
    identity: Mapping[str, str] = {}
    overrides: Text
    differs: str = ""


class DataSet(Entry):
    """What a run must have judged.

    Attributes:
        benchmark: Name of the benchmark.
        identity: Fields of the run's identity that data and protocol fix.
        sha256: Hashes of the rows, any of which will do; empty where none is known beforehand.
        metric: Name of the metric among the official ones, for reported numbers.
        overrides: What makes it, as overrides of experiments/evaluate.py.
    """

    benchmark: Text
    identity: Mapping[str, str]
    sha256: tuple[str, ...] = ()
    metric: str = ""
    overrides: Text


class Training(Entry):
    """A process reward model or a policy of ours, trained with any seed.

    Attributes:
        identity: Fields of a training run's identity that it fixes.
    """

    identity: Mapping[str, str]


class Reported(Entry):
    """A number that the paper reports.

    Attributes:
        source: Where the number is printed.
        table: Which table of it.
        method: The arm in the source's words.
        backbone: The model behind it in the source's words; "" where the source names none.
        setting: The setting in the source's words.
        benchmark: The benchmark in the source's words.
        metric: The metric and its unit.
        value: The number in that unit.
        trust: Whether it was read in the paper itself or in what others wrote about it.
        note: What else is known about the number.
        faults: The protocol faults that bear on it.
        arm: What stands for the method here; None when nothing does yet.
        data: What it must be run on: one, or several when the number is their mean; empty when nothing fits yet.
        model: The name that the model of a run must have.
    """

    source: Text
    table: Text
    method: Text
    backbone: str
    setting: Text
    benchmark: Text
    metric: Literal["accuracy %", "score %", "Kendall tau"]
    value: float
    trust: Literal["first-hand", "second-hand"]
    note: str
    faults: tuple[Fault, ...]
    arm: Arm | None
    data: tuple[DataSet, ...]
    model: str

    @property
    def share(self) -> float:
        """The value in the unit of our metrics: a percentage as a share."""
        return self.value / 100 if self.metric.endswith("%") else self.value


class Predicted(BaseModel):
    """The range in which the true effect is predicted to lie; a missing end is no bound.

    Attributes:
        low: Lower end, as a share.
        high: Upper end, as a share.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("neither low nor high is given")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        return self


class Prediction(Entry):
    """A prediction of ours, registered before the run that it is about.

    Attributes:
        experiment: The command that runs it.
        arm: Whose figure, or whose difference to `against`.
        against: The arm to compare with, item by item; None for a figure of one arm.
        data: What they judge.
        model: The model behind the arms that ask one.
        metric: strict or official (the headline), first_position_rate, both_order_consistency, used/<tool>, or
            select/<way of selecting> of a run of experiments/best_of_n.py.
        predicted: Sign and size, as the range in which the effect lies.
        test: What decides: the 95 % interval of the figure, or of the paired difference with its p-value beside it.
        n: Items planned; a run with fewer gives no verdict.
        registered: The day.
        reasoning: Why, in a sentence.
    """

    experiment: Text
    arm: Arm
    against: Arm | None = None
    data: DataSet
    model: Text
    metric: Annotated[
        str,
        Field(pattern=r"^(strict|official|first_position_rate|both_order_consistency|used/\w+|select/\w+)$"),
    ]
    predicted: Predicted
    test: Literal["interval", "paired interval"]
    n: Annotated[int, Field(ge=2)]
    registered: date
    reasoning: Text

    @property
    def figure(self) -> str:
        """What is measured, in words."""
        return f"{self.metric}, {self.arm.id}" + (f" − {self.against.id}" if self.against else "")

    @property
    def signed(self) -> bool:
        """Whether the effect is a difference."""
        return self.against is not None

    @model_validator(mode="after")
    def _test_fits(self) -> Self:
        if (self.against is not None) != (self.test == "paired interval"):
            raise ValueError("the test is a paired interval exactly when there is an arm to compare with")
        if self.against is not None and self.metric.partition("/")[0] not in ("strict", "select"):
            raise ValueError("only strict and select are compared item by item")
        return self


class WeightedFigure(BaseModel):
    """A part of a contrast.

    Attributes:
        weight: Its factor.
        figure: A figure of `rewardlab.training.figures`.
        training: Whose figure, as a mean over seeds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = 1.0
    figure: Annotated[str, Field(pattern=f"^({FIGURE.pattern})$")]
    training: Training


class TrainedPrediction(Entry):
    """A prediction about trained process reward models, registered before the runs that it is about.

    Attributes:
        experiment: The command that runs it.
        terms: Weighted figures whose sum is predicted.
        predicted: Sign and size, as the range in which the sum lies.
        seeds: Seeds planned; fewer give no verdict.
        n: Problems planned; fewer give no verdict.
        registered: The day.
        reasoning: Why, in a sentence.
    """

    experiment: Text
    terms: Annotated[tuple[WeightedFigure, ...], Field(min_length=1)]
    predicted: Predicted
    seeds: Annotated[int, Field(ge=2)]
    n: Annotated[int, Field(ge=2)]
    registered: date
    reasoning: Text

    @property
    def figure(self) -> str:
        """What is measured, in words."""
        return _said(self.terms)

    @property
    def signed(self) -> bool:
        """Whether the effect is a difference."""
        return len(self.terms) > 1


class FinalNumber(BaseModel):
    """A part of a contrast between policies.

    Attributes:
        weight: Its factor.
        figure: One of a policy's final numbers (`rewardlab.policy.grpo`), such as test/accuracy.
        training: Whose number, seed by seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = 1.0
    figure: Annotated[str, Field(pattern=r"^[a-z_]+(/[a-z_]+)?$")]
    training: Training


class PolicyPrediction(Entry):
    """A prediction about trained policies, registered before the runs that it is about.

    Attributes:
        experiment: The command that runs it.
        terms: Weighted final numbers whose sum is predicted.
        predicted: Sign and size, as the range in which the sum lies.
        seeds: Seeds planned; fewer give no verdict.
        registered: The day.
        reasoning: Why, in a sentence.
    """

    experiment: Text
    terms: Annotated[tuple[FinalNumber, ...], Field(min_length=1)]
    predicted: Predicted
    seeds: Annotated[int, Field(ge=2)]
    registered: date
    reasoning: Text

    @property
    def figure(self) -> str:
        """What is measured, in words."""
        return _said(self.terms)

    @property
    def signed(self) -> bool:
        """Whether the effect is a difference."""
        return len(self.terms) > 1

    @property
    def n(self) -> int:
        """Seeds: what the interval rests on."""
        return self.seeds


def _said(terms: Sequence[WeightedFigure | FinalNumber]) -> str:
    """A contrast in words; what its terms share is said once."""
    figures, trainings = {term.figure for term in terms}, {term.training.id for term in terms}
    if len(figures) == 1:
        shared, names = f"{terms[0].figure}: ", [term.training.id for term in terms]
    elif len(trainings) == 1:
        shared, names = f"{terms[0].training.id}: ", [term.figure for term in terms]
    else:
        shared, names = "", [f"{term.figure} of {term.training.id}" for term in terms]
    said = " ".join(f"{_factor(term.weight)}{name}" for term, name in zip(terms, names, strict=True))
    return shared + said.removeprefix("+ ")


def _factor(weight: float) -> str:
    """The sign of a term, and its factor where that is not 1.

    >>> _factor(1.0), _factor(-0.5)
    ('+ ', '− 0.5 ')
    """
    return f"{'+' if weight > 0 else '−'} " + ("" if abs(weight) == 1 else f"{abs(weight):.3g} ")


OwnPrediction = Prediction | TrainedPrediction | PolicyPrediction
Claim = Reported | OwnPrediction


class Claims(BaseModel):
    """The whole register.

    Attributes:
        registration: What was known when the predictions were registered.
        faults: Faults of the released protocol.
        arms: Judges of ours.
        data: What they judge.
        reported: Numbers of the paper.
        trainings: Process reward models and policies of ours.
        predictions: Our own, about judges.
        trained: Our own, about reward models that are trained.
        taught: Our own, about policies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    registration: Text
    faults: tuple[Fault, ...]
    arms: tuple[Arm, ...]
    data: tuple[DataSet, ...]
    trainings: tuple[Training, ...]
    reported: tuple[Reported, ...]
    predictions: tuple[Prediction, ...]
    trained: tuple[TrainedPrediction, ...]
    taught: tuple[PolicyPrediction, ...]

    @property
    def all(self) -> tuple[Reported | Prediction, ...]:
        """Every claim about judges, the reported ones first."""
        return (*self.reported, *self.predictions)


def load_claims(path: Path) -> Claims:
    """Read and validate the register.

    Args:
        path: The YAML file.

    Raises:
        MissingRequirement: When there is no such file.
        BadClaims: When it is no YAML, or an entry has an unknown field, lacks one, has a wrong value, shares its id
            with another, or refers to an entry that does not exist.
    """
    if not path.is_file():
        raise MissingRequirement(f"there is no register of claims at {path}", "check out paper/claims.yaml")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise BadClaims(str(path), "whole file", f"no YAML: {error}") from error
    sections = _sections(str(path), raw)
    for name in SECTIONS:
        _refuse_repeats(str(path), name, sections[name])
    try:
        return Claims.model_validate({**raw, **_resolved(str(path), sections)})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadClaims(str(path), _place(first["loc"], sections), first["msg"]) from error


def _sections(file: str, raw: Any) -> dict[str, list[dict[str, Any]]]:
    if not isinstance(raw, dict):
        raise BadClaims(file, "whole file", f"expected the sections {', '.join(SECTIONS)}")
    for name in SECTIONS:
        if not isinstance(raw.get(name), list) or not all(isinstance(entry, dict) for entry in raw[name]):
            raise BadClaims(file, name, "expected a list of entries with fields")
    return {name: raw[name] for name in SECTIONS}


def _refuse_repeats(file: str, section: str, entries: list[dict[str, Any]]) -> None:
    for name, times in Counter(str(entry.get("id", "")) for entry in entries).items():
        if times > 1:
            raise BadClaims(file, f"{section}, {name or 'without an id'}", f"{times} entries have this id")


def _resolved(file: str, sections: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The claims with the entries that they name by id put in their place."""
    refers = {"faults": "faults", "arm": "arms", "against": "arms", "data": "data", "training": "trainings"}
    known = {name: {entry.get("id"): entry for entry in sections[name]} for name in set(refers.values())}

    def put(place: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        def named(kind: str, value: Any) -> Any:
            if isinstance(value, list):
                return [named(kind, one) for one in value]
            if value is not None and value not in known[kind]:
                problem = str(UnknownName(f"entry of {kind}", str(value), map(str, known[kind])))
                raise BadClaims(file, place, problem)
            return value if value is None else known[kind][value]

        parts = {"terms": [put(place, term) for term in entry["terms"]]} if "terms" in entry else {}
        return {key: named(refers[key], value) if key in refers else value for key, value in entry.items()} | parts

    claims = ("reported", "predictions", "trained", "taught")
    return {name: [put(f"{name}, {entry.get('id')}", entry) for entry in sections[name]] for name in claims}


def _place(location: tuple[int | str, ...], sections: Mapping[str, list[dict[str, Any]]]) -> str:
    """Section, id and field that a validation error is about."""
    section, *rest = location or ("whole file",)
    if section in sections and rest and isinstance(rest[0], int):
        name = sections[str(section)][rest[0]].get("id") or f"entry {rest[0] + 1}"
        return ", ".join([str(section), str(name), *(["field " + ".".join(map(str, rest[1:]))] if rest[1:] else [])])
    return ".".join(map(str, location)) or "whole file"
