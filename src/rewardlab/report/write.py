"""Writes a report: from run folders to tables, figures and a page, with no model call.

Everything is a function of the run folders' content: equal folders give byte-identical files.
"""

from __future__ import annotations

import difflib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rewardlab.claims.registry import Claims
from rewardlab.claims.ruling import verdicts
from rewardlab.errors import UserError
from rewardlab.evaluation.finished import FinishedRun, read_runs
from rewardlab.report.comparison import Comparison, compare
from rewardlab.report.figures import figures
from rewardlab.report.frame import Frame
from rewardlab.report.latex import to_latex
from rewardlab.report.markdown import to_markdown
from rewardlab.report.page import Section, render
from rewardlab.report.tables.ablation import ablation
from rewardlab.report.tables.claims import predicted_claims, reported_claims
from rewardlab.report.tables.conduct import conduct
from rewardlab.report.tables.costs import costs
from rewardlab.report.tables.groups import groups
from rewardlab.report.tables.results import results
from rewardlab.report.tables.runs import runs
from rewardlab.report.tables.seeds import across_seeds
from rewardlab.report.tables.trace_audit import trace_audit
from rewardlab.report.traces import read_traces
from rewardlab.store.atomic import write_text

log = logging.getLogger(__name__)

ON_TERMINAL = ("results", "ablation", "costs", "conduct", "trace-audit")


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
    traces: int = 0,
    claims: Claims | None = None,
) -> Report:
    """Write table.md, table.tex, report.html and figures/*.svg.

    Args:
        run_folders: Finished runs of any benchmarks.
        out_dir: Where to write; made when missing.
        baseline: The arm that all others are compared with, by its label or its judge's name. A benchmark without it
            gets a table without differences, and a warning.
        traces: How many judgments of each arm the page shows step by step, where rows.sqlite lies beside the run. They
            quote questions and candidates, so a page with traces is not for publishing.
        claims: Reported numbers and predictions to put beside what the runs show.

    Raises:
        UserError: When there is no run, a run is unfinished or mixed, or a file cannot be written.
    """
    if not run_folders:
        raise UserError("there is no finished run to report on; run experiments/evaluate.py first")
    found = read_runs(run_folders)
    comparisons = compare(found, baseline)
    sections = _sections(comparisons, traces)
    across = [*across_seeds(comparisons), *(_claims(claims, found) if claims else ())]
    markdown = [*(_markdown(s, s.frames) for s in sections), *(to_markdown(frame.brief()) for frame in across)]
    floats = [(f, f"{s.anchor}-{f.name}") for s in sections for f in s.frames]
    floats += [(frame, f"{frame.name}-{i}") for i, frame in enumerate(across, 1)]
    files = {
        "table.md": "\n".join(markdown),
        "table.tex": "\n".join(to_latex(frame.brief(), label) for frame, label in floats),
        "report.html": render(sections, across),
        **{f"figures/{s.anchor}-{name}.svg": svg for s in sections for name, svg in s.figures.items()},
    }
    for name, text in files.items():
        write_text(out_dir / name, text)
    terminal = "\n".join(_markdown(s, [f for f in s.frames if f.name in ON_TERMINAL]) for s in sections)
    return Report(terminal, tuple(out_dir / name for name in files), comparisons)


def _claims(claims: Claims, runs: Sequence[FinishedRun]) -> tuple[Frame, Frame]:
    rulings = verdicts(claims.all, runs)
    return predicted_claims(claims, rulings), reported_claims(claims, rulings)


def _sections(comparisons: Sequence[Comparison], traces: int) -> list[Section]:
    sections = [_section(comparison, traces) for comparison in comparisons]
    times = Counter(section.title for section in sections)
    return [
        replace(s, data=s.comparison.run.identity.get("data.sha256", "")[:6]) if times[s.title] > 1 else s
        for s in sections
    ]


def _section(comparison: Comparison, traces: int) -> Section:
    if not comparison.has_baseline and len(comparison.arms) > 1:
        labels = [arm.label for arm in comparison.arms]
        near = difflib.get_close_matches(comparison.baseline, labels, n=1) or labels
        problem = "no run of the baseline %r on %s, so the table has no differences; baseline= may be %s"
        log.warning(problem, comparison.baseline, comparison.run.dataset, " or ".join(near))
    made = (make(comparison) for make in (results, ablation, costs, conduct, trace_audit, groups, runs))
    frames = tuple(frame for frame in made if frame is not None)
    return Section(comparison, frames, figures(comparison), read_traces(comparison, traces))


def _markdown(section: Section, frames: Sequence[Frame]) -> str:
    return "\n".join([f"## {section.title}\n", *(to_markdown(frame.brief()) for frame in frames)])
