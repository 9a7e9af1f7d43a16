"""The generated parts of the paper: its tables, figures, main findings, and the page with everything.

paper/main.tex is written by hand and includes three generated files: tables/findings.tex, the main results in
sentences; tables/main.tex, the tables and figures of the text; and tables/appendix.tex, the rest. So no number of the
paper is typed by anybody, and a run that is added or made again changes the paper by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from rewardlab.report.experiment import Chapter, Experiment, Section, leading
from rewardlab.report.latex import escape, to_latex
from rewardlab.report.page import CAPTIONS, render
from rewardlab.report.write import labelled

IN_TEXT = ("results", "conduct", "calibration")
FIGURES_IN_TEXT = ("accuracy", "budget", "reliability", "curves")


def paper_files(experiments: Sequence[Experiment], across: Sequence[Chapter]) -> dict[str, bytes]:
    """The generated files of the paper's folder that are kept in git: name to content.

    Args:
        experiments: In the order in which the paper tells of them.
        across: Chapters that rest on several of them: studies, and the claims.
    """
    sections, chapters = _parts(experiments)
    chapters = [*chapters, *across]
    parts: list[Section | Chapter] = [*sections, *chapters]
    files = {
        "report.html": render("", sections, chapters),
        "tables/findings.tex": _findings(sections),
        "tables/main.tex": _inputs(parts, appendix=False),
        "tables/appendix.tex": _inputs(parts, appendix=True),
        **{f"tables/{label}.tex": to_latex(f.brief(), label) for part in parts for f, label in labelled(part)},
    }
    return {name: text.encode() for name, text in files.items()}


def paper_figures(experiments: Sequence[Experiment]) -> dict[str, bytes]:
    """The paper's figures as PDF: name to content. They are drawn anew for every build, and not kept in git."""
    sections, chapters = _parts(experiments)
    parts: list[Section | Chapter] = [*sections, *chapters]
    return {f"figures/{p.anchor}-{name}.pdf": figure.pdf() for p in parts for name, figure in p.figures.items()}


def _parts(experiments: Sequence[Experiment]) -> tuple[list[Section], list[Chapter]]:
    named = [experiment.named() for experiment in experiments]
    sections = [section for experiment in named for section in experiment.sections]
    return sections, [chapter for experiment in named for chapter in experiment.chapters]


def _findings(sections: Sequence[Section]) -> str:
    """The main result of every comparison, an arm a line."""
    lines = []
    for section in leading(sections):
        lines += [rf"\paragraph{{{escape(section.title)}.}}\leavevmode", r"\begin{description}"]
        for finding in section.findings:
            text = escape(finding.text)
            said = rf"\textbf{{{text}}}" if finding.holds else text
            lines.append(rf"\item[{escape(finding.arm)}] {said}.")
        lines.append(r"\end{description}")
    return "\n".join(lines) + "\n"


def _inputs(parts: Sequence[Section | Chapter], appendix: bool) -> str:
    """What includes the tables and figures of the text, or of the appendix; a part without any has no heading."""
    lines = []
    for part in parts:
        tables = [label for frame, label in labelled(part) if _in_appendix(part, frame.name) == appendix]
        inside = [rf"\input{{tables/{label}}}" for label in tables]
        inside += [_figure(part.anchor, name) for name in part.figures if (name not in FIGURES_IN_TEXT) == appendix]
        if inside:
            lines += [rf"\subsection{{{escape(part.title)}}}", *inside, r"\FloatBarrier"]
    return "\n".join(lines) + "\n"


def _in_appendix(part: Section | Chapter, table: str) -> bool:
    """Whether a table is for the appendix: what backs a comparison, and the long list of reported numbers."""
    return table not in IN_TEXT if isinstance(part, Section) else table == "claims"


def _figure(anchor: str, name: str) -> str:
    file = f"figures/{anchor}-{name}.pdf"
    return "\n".join(
        [
            r"\begin{figure*}[htbp]",
            r"\centering",
            rf"\includegraphics[max width=\linewidth]{{{file}}}",
            rf"\caption{{{escape(CAPTIONS[name])}}}",
            r"\end{figure*}",
        ]
    )
