"""Everything that is generated and kept in git, from stored rows: the reports in results/ and the parts of the paper.

`rebuilt` gives the content of every such file, so that writing them and checking that none is stale are one thing.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rewardlab.claims.registry import Claims
from rewardlab.errors import UserError
from rewardlab.report.experiment import Chapter, read_experiment, run_folders
from rewardlab.report.page import baseline_of
from rewardlab.report.paper import paper_figures, paper_files
from rewardlab.report.study import is_study, study_frames, study_markdown
from rewardlab.report.write import claim_chapters, report_files, trace_files, write_files

GENERATED = ("figures/*.svg", "tables/*.tex")  # in a folder with a report, nothing else has these names


class Rebuilt(NamedTuple):
    """What a rebuild came to.

    Attributes:
        kept: Folder to its generated files that are kept in git, name to content.
        local: Folder to those that are not: single judgments, and figures for LaTeX.
    """

    kept: dict[Path, dict[str, bytes]]
    local: dict[Path, dict[str, bytes]]

    def write(self) -> int:
        """Write every file and remove generated ones that no run stands behind any more. Returns how many are kept."""
        for path in self.leftovers():
            path.unlink()
        for part in (self.kept, self.local):
            for folder, files in part.items():
                write_files(folder, files)
        return sum(map(len, self.kept.values()))

    def leftovers(self) -> list[Path]:
        """Generated files that a rebuild does not make."""
        return [
            path
            for folder, files in self.kept.items()
            for pattern in GENERATED
            for path in sorted(folder.glob(pattern))
            if path.relative_to(folder).as_posix() not in files
        ]

    def stale(self) -> list[str]:
        """What on the disk differs from a rebuild, a line each; empty when nothing does."""
        found = [f"{path}: nothing in results/ makes it any more" for path in self.leftovers()]
        for folder, files in self.kept.items():
            for name, content in files.items():
                if why := _difference(folder / name, content):
                    found.append(f"{folder / name}: {why}")
        return found


def rebuild(
    results: Path,
    paper: Path,
    claims: Claims | None,
    baseline: str = "direct",
    traces: int | None = 0,
    pdf: bool = False,
) -> Rebuilt:
    """Make every generated file anew.

    Args:
        results: Folder of experiments, each a folder of runs. A folder in it that has a report.html has it made again.
        paper: The paper's folder.
        claims: Reported numbers and predictions.
        baseline: Of experiments that have no page to name theirs.
        traces: As in `write_report`.
        pdf: Whether to draw the paper's figures as PDF, which only LaTeX needs.

    Raises:
        UserError: When there is no run, or one is unfinished or mixed.
    """
    folders = run_folders(results)
    if not folders:
        raise UserError(f"{results} holds no finished run; run experiments/reproduce.py first")
    studies = sorted(place.parent for place in results.rglob("trainings") if is_study(place.parent))
    by_parent: dict[Path, list[Path]] = {}
    for folder in folders:
        if not any(folder.is_relative_to(study) for study in studies):  # a study tells of its own
            by_parent.setdefault(folder.parent, []).append(folder)
    told = {p: read_experiment(_name(p, results), of, _baseline(p, baseline)) for p, of in by_parent.items()}
    kept, local = {}, {}
    for place in sorted(page.parent for page in results.rglob("report.html") if "mlflow-artifacts" not in page.parts):
        experiment = told.get(place) or read_experiment(place.name, run_folders(place), _baseline(place, baseline))
        kept[place] = report_files(experiment)
        local[place] = trace_files(experiment.sections, traces)
    chapters = []
    for study in studies:
        base = next((_baseline(page.parent, baseline) for page in sorted(study.rglob("report.html"))), baseline)
        kept[study] = {"table.md": study_markdown(study, base, claims).encode()}
        chapters.append(Chapter(f"Study, {_name(study, results)}", tuple(study_frames(study, base, claims)), {}))
    runs = {run.run_id: run for experiment in told.values() for run in experiment.runs}
    policies = {run.run_id: run for experiment in told.values() for run in experiment.policies}
    experiments = list(told.values())
    chapters += claim_chapters(claims, list(runs.values()), list(policies.values()))
    kept[paper] = paper_files(experiments, chapters)
    sections = [section for experiment in experiments for section in experiment.named().sections]
    local[paper] = {**(paper_figures(experiments) if pdf else {}), **trace_files(sections, traces)}
    return Rebuilt(kept, local)


def _baseline(folder: Path, otherwise: str) -> str:
    """The baseline that the page of a folder was made with."""
    page = folder / "report.html"
    return baseline_of(page, otherwise) if page.exists() else otherwise


def _name(folder: Path, results: Path) -> str:
    """The experiment's name: where it lies below the results."""
    return folder.relative_to(results).as_posix() if folder != results else folder.name


def _difference(path: Path, content: bytes) -> str:
    """In what a file differs from its content, in a line; "" when it does not."""
    if not path.exists():
        return "is missing"
    found = path.read_bytes()
    if found == content:
        return ""
    try:
        before, after = (text.decode().splitlines() for text in (found, content))
    except UnicodeDecodeError:
        return "differs"
    for number, (old, new) in enumerate(zip(before, after, strict=False), 1):
        if old != new:
            return f"line {number} differs: {_around(old, new)!r} is {_around(new, old)!r} when rebuilt"
    return f"has {len(before)} lines, {len(after)} when rebuilt"


def _around(line: str, other: str) -> str:
    """The part of a line where it begins to differ from another."""
    start = next((i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), min(len(line), len(other)))
    return line[max(0, start - 20) : start + 40]
