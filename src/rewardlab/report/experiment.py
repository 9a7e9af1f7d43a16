"""An experiment: what the runs of one folder show, as tables, figures and single judgments, in no format yet.

Runs of other experiments stay apart, for two experiments may well run the same judge on the same data. What judges say
goes into sections, one a comparison; what was selected, trained or taught goes into chapters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rewardlab.errors import UserError
from rewardlab.evaluation.finished import FinishedRun, finished_folders, read_runs
from rewardlab.report.canvas import Drawing
from rewardlab.report.comparison import Comparison, compare
from rewardlab.report.curves import learning_curves
from rewardlab.report.figures import figures
from rewardlab.report.findings import Finding, findings
from rewardlab.report.frame import Frame
from rewardlab.report.learned import LearnedRun, learned_folders, read_learned
from rewardlab.report.tables.ablation import ablation
from rewardlab.report.tables.best_of_n import alike, best_of_n
from rewardlab.report.tables.calibration import calibration
from rewardlab.report.tables.conduct import conduct
from rewardlab.report.tables.costs import costs
from rewardlab.report.tables.groups import groups
from rewardlab.report.tables.policy import arms, by_policy, instruction_exams, policies
from rewardlab.report.tables.protocol import protocols
from rewardlab.report.tables.results import results
from rewardlab.report.tables.runs import runs
from rewardlab.report.tables.seeds import across_seeds
from rewardlab.report.tables.trace_audit import trace_audit
from rewardlab.report.tables.training import configurations, training


@dataclass(frozen=True, slots=True)
class Section:
    """What is shown of one comparison.

    Attributes:
        comparison: The comparison.
        frames: Its tables in reading order.
        figures: Name to drawing.
        experiment: Name of the experiment, where several are shown together.
        data: Hash that tells the comparison from another of the same title; "" where there is none.
    """

    comparison: Comparison
    frames: tuple[Frame, ...]
    figures: dict[str, Drawing]
    experiment: str = ""
    data: str = ""

    @property
    def title(self) -> str:
        """Benchmark, and the protocol and seed it ran under."""
        run = self.comparison.run
        title = f"{run.dataset} ({run.protocol}, seed {run.seed}{', data ' if self.data else ''}{self.data})"
        return f"{self.experiment}: {title}" if self.experiment else title

    @property
    def anchor(self) -> str:
        """The title as part of a file name."""
        return anchor(self.title)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The main result in sentences."""
        return findings(self.comparison)


def leading(sections: Sequence[Section]) -> list[Section]:
    """The sections whose findings are told first: those with a baseline, or all where none has one.

    Comparisons of models come before those of rules alone, and the larger sample before the smaller one.
    """

    def place(section: Section) -> tuple[bool, int]:
        comparison = section.comparison
        return all(arm.run.asks_no_model for arm in comparison.arms), -len(comparison.run.items)

    return sorted([s for s in sections if s.comparison.has_baseline] or sections, key=place)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Tables and figures that belong to no single comparison.

    Attributes:
        title: Heading.
        frames: Its tables in reading order.
        figures: Name to drawing.
    """

    title: str
    frames: tuple[Frame, ...]
    figures: dict[str, Drawing]

    @property
    def anchor(self) -> str:
        """The title as part of a file name."""
        return anchor(self.title)


@dataclass(frozen=True, slots=True)
class Experiment:
    """What the runs of one folder show.

    Attributes:
        name: The folder's.
        sections: One a comparison.
        chapters: The rest.
        runs: The judged runs, for claims.
        policies: The trained policies, for claims.
        baseline: The arm that others are compared with.
    """

    name: str
    sections: tuple[Section, ...]
    chapters: tuple[Chapter, ...]
    runs: tuple[FinishedRun, ...]
    policies: tuple[LearnedRun, ...]
    baseline: str

    def named(self) -> Experiment:
        """The same with its name in every title, to stand beside others."""
        sections = tuple(replace(section, experiment=self.name) for section in self.sections)
        chapters = tuple(replace(chapter, title=f"{self.name}: {chapter.title}") for chapter in self.chapters)
        return replace(self, sections=sections, chapters=chapters)


def anchor(title: str) -> str:
    """A title as part of a file name."""
    return re.sub(r"\W+", "-", title).strip("-").lower()


def run_folders(root: Path) -> list[Path]:
    """Every folder below `root` that holds a finished run of any kind, sorted."""
    return sorted({*finished_folders(root), *learned_folders(root)})


def read_experiment(name: str, folders: Sequence[Path], baseline: str) -> Experiment:
    """Read runs and put together what they show.

    Args:
        name: Of the experiment.
        folders: Run folders of any kind.
        baseline: The arm that others are compared with, by its label or its judge's name. A benchmark without it gets
            a table without differences.

    Raises:
        UserError: When there is no run, or a run is unfinished or mixed.
    """
    if not folders:
        raise UserError("there is no finished run to report on; run experiments/evaluate.py first")
    trainings = [folder for folder in folders if (folder / "curve.jsonl").exists()]
    judged = read_runs([folder for folder in folders if folder not in trainings])
    learned = read_learned(trainings)
    plain = tuple(run for run in judged if not run.selects)
    comparisons = compare(plain, baseline)
    chapters = [
        *_across(comparisons, plain),
        *_selected([run for run in judged if run.selects]),
        *_learned(learned),
    ]
    taught = tuple(run for run in learned if run.is_policy)
    return Experiment(name, _sections(comparisons), tuple(chapters), judged, taught, baseline)


def _sections(comparisons: Sequence[Comparison]) -> tuple[Section, ...]:
    sections = [_section(comparison) for comparison in comparisons]
    times = Counter(section.title for section in sections)
    return tuple(
        replace(s, data=s.comparison.run.identity.get("data.sha256", "")[:6]) if times[s.title] > 1 else s
        for s in sections
    )


def _section(comparison: Comparison) -> Section:
    made = (make(comparison) for make in (results, ablation, costs, conduct, trace_audit, calibration, groups, runs))
    frames = tuple(frame for frame in made if frame is not None)
    return Section(comparison, frames, figures(comparison))


def _across(comparisons: Sequence[Comparison], judged: Sequence[FinishedRun]) -> list[Chapter]:
    """What several comparisons show together."""
    protocol = protocols(judged)
    chapters = [Chapter("Several seeds", across_seeds(comparisons), {})]
    chapters.append(Chapter("Protocol audit", (protocol,) if protocol else (), {}))
    return [chapter for chapter in chapters if chapter.frames]


def _selected(selections: Sequence[FinishedRun]) -> list[Chapter]:
    groups = alike(selections)
    titles = [f"Best of N, {group[0].benchmark}" for group in groups]
    numbered = [title if titles.count(title) == 1 else f"{title}, {group[0].run_id}"
                for title, group in zip(titles, groups, strict=True)]  # fmt: skip
    return [Chapter(title, best_of_n(group), {}) for title, group in zip(numbered, groups, strict=True)]


def _learned(learned: Sequence[LearnedRun]) -> list[Chapter]:
    trained, taught = [run for run in learned if not run.is_policy], [run for run in learned if run.is_policy]
    chapters = []
    for frame in training(trained):
        of_method = [run for run in trained if f"training-{run.metrics['method']}" == frame.name]
        curves = learning_curves(frame.name, configurations(of_method), ("train/loss", "validation/accuracy"))
        title = f"Trained models, {of_method[0].metrics['method']}"
        chapters.append(Chapter(title, (frame,), {"curves": curves} if curves else {}))
    for frame, (name, of_policy) in zip(policies(taught), by_policy(taught).items(), strict=True):
        shown = ("validation/dev/accuracy", "train/reward", "train/length", "train/entropy")
        curves = learning_curves(frame.name, arms(of_policy), shown)
        further = instruction_exams(of_policy)
        frames = (frame, further) if further else (frame,)
        chapters.append(Chapter(f"Trained policies, {name}", frames, {"curves": curves} if curves else {}))
    return chapters
