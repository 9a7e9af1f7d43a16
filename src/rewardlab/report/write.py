"""Writes a report: from run folders to tables, figures and a page, with no model call.

Everything is a function of the run folders' content: equal folders give byte-identical files. Single judgments go into
scripts of their own beside the page, where rows.sqlite lies beside the runs; they quote third-party text and stay out
of git.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rewardlab.claims.registry import Claims
from rewardlab.claims.ruling import verdicts
from rewardlab.claims.taught import policy_verdicts
from rewardlab.evaluation.finished import FinishedRun
from rewardlab.report.comparison import Comparison
from rewardlab.report.experiment import Chapter, Experiment, Section, read_experiment
from rewardlab.report.frame import Frame
from rewardlab.report.latex import to_latex
from rewardlab.report.learned import LearnedRun
from rewardlab.report.markdown import to_markdown
from rewardlab.report.page import render
from rewardlab.report.tables.claims import predicted_claims, reported_claims
from rewardlab.report.traces import read_traces, script
from rewardlab.store.atomic import write_bytes

log = logging.getLogger(__name__)

ON_TERMINAL = ("results", "ablation", "costs", "conduct", "trace-audit")
TRACES = 100  # judgments of each arm, flips first, where no other number is asked for


@dataclass(frozen=True, slots=True)
class Report:
    """What was written.

    Attributes:
        markdown: The results and cost tables of every comparison, for the terminal.
        files: Every file written.
        comparisons: What the tables were made from.
    """

    markdown: str
    files: tuple[Path, ...]
    comparisons: tuple[Comparison, ...]


def write_report(
    run_folders: Sequence[Path],
    out_dir: Path,
    baseline: str = "direct",
    traces: int | None = TRACES,
    claims: Claims | None = None,
) -> Report:
    """Write table.md, table.tex, report.html, figures/*.svg and traces/*.js.

    Args:
        run_folders: Finished runs of any kind and benchmark.
        out_dir: Where to write; made when missing.
        baseline: The arm that all others are compared with, as in `read_experiment`. Where it is missing, a warning
            names the nearest.
        traces: How many judgments of each arm a reader can open step by step; None for all, 0 for none. Only where
            rows.sqlite lies beside the run.
        claims: Reported numbers and predictions to put beside what the runs show.

    Raises:
        UserError: When there is no run, a run is unfinished or mixed, or a file cannot be written.
    """
    experiment = read_experiment(out_dir.name, run_folders, baseline)
    for section in experiment.sections:
        _warn_of_missing_baseline(section.comparison)
    files = report_files(experiment, claim_chapters(claims, experiment.runs, experiment.policies))
    written = write_files(out_dir, {**files, **trace_files(experiment.sections, traces)})
    return Report(terminal(experiment), written, tuple(section.comparison for section in experiment.sections))


def terminal(experiment: Experiment) -> str:
    """The results and cost tables of every comparison and the other chapters, as Markdown."""
    parts = [_markdown(s.title, [f for f in s.frames if f.name in ON_TERMINAL]) for s in experiment.sections]
    return "\n".join([*parts, *(_markdown(chapter.title, chapter.frames) for chapter in experiment.chapters)])


def report_files(experiment: Experiment, claims: Sequence[Chapter] = ()) -> dict[str, bytes]:
    """The files of a report that are kept in git: name to content."""
    sections, chapters = experiment.sections, (*experiment.chapters, *claims)
    shown: list[Section | Chapter] = [*sections, *chapters]
    return {
        "table.md": "\n".join(_markdown(part.title, part.frames) for part in shown).encode(),
        "table.tex": "\n".join(to_latex(f.brief(), label) for part in shown for f, label in labelled(part)).encode(),
        "report.html": render(experiment.baseline, sections, chapters).encode(),
        **{f"figures/{p.anchor}-{name}.svg": drawn.svg.encode() for p in shown for name, drawn in p.figures.items()},
    }


def labelled(part: Section | Chapter) -> list[tuple[Frame, str]]:
    """The tables of a part, each with the name of its file and label."""
    return [(frame, f"{part.anchor}-{frame.name}") for frame in part.frames]


def claim_chapters(
    claims: Claims | None, runs: Sequence[FinishedRun], policies: Sequence[LearnedRun]
) -> tuple[Chapter, ...]:
    """Claims about judges and policies beside what runs show; nothing without claims."""
    if claims is None:
        return ()
    rulings = [*verdicts(claims.all, runs), *policy_verdicts(claims.taught, policies)]
    frames = (predicted_claims(claims, rulings), reported_claims(claims, rulings))
    return (Chapter("Claims", frames, {}),)


def trace_files(sections: Sequence[Section], limit: int | None) -> dict[str, bytes]:
    """The scripts that single judgments are read from; none where no rows.sqlite lies beside a run."""
    if limit == 0:
        return {}
    found = ((section.anchor, read_traces(section.comparison, limit)) for section in sections)
    return {f"traces/{name}.js": script(name, traces).encode() for name, traces in found if traces}


def write_files(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files by name, each whole or not at all. Raises StorageError when one cannot be written."""
    for name, content in files.items():
        write_bytes(folder / name, content)
    return tuple(folder / name for name in files)


def _warn_of_missing_baseline(comparison: Comparison) -> None:
    if comparison.has_baseline or len(comparison.arms) < 2:
        return
    labels = [arm.label for arm in comparison.arms]
    near = difflib.get_close_matches(comparison.baseline, labels, n=1) or labels
    problem = "no run of the baseline %r on %s, so the table has no differences; baseline= may be %s"
    log.warning(problem, comparison.baseline, comparison.run.dataset, " or ".join(near))


def _markdown(title: str, frames: Sequence[Frame]) -> str:
    return "\n".join([f"## {title}\n", *(to_markdown(frame.brief()) for frame in frames)])
