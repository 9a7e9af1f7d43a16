"""report.html: one file that opens without a network, shows the main result first, and sorts and filters its tables.

Single judgments are no part of it, because they quote third-party text. A reader who asks for them gets them from the
script that lies beside the page where the runs were made, and elsewhere a sentence that says how to make it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rewardlab.report.canvas import Drawing, with_prefix
from rewardlab.report.experiment import Chapter, Section, leading

CAPTIONS = {
    "accuracy": "Strict score of each arm, and its paired difference to the baseline. Square: the baseline; circle: an "
    "arm with a model; diamond: an arm without one.",
    "budget": "Strict score against tokens a judgment: an arm that is right more often by spending more is to be read "
    "against one that spends as much. Dotted: the best score that so many tokens bought here.",
    "flips": "Where an arm and the baseline disagree: the discordant counts b and c behind the paired test.",
    "position": "How far the display order decides: choices of the candidate shown first, and pairs judged alike in "
    "both orders.",
    "reliability": "Of the choices made with so much confidence, how many were right, with Wilson's interval over the "
    "choices (both orders of a pair count). ECE: mean distance from the dashed line, in points, over ten fixed bins.",
    "curves": "Interquartile mean over seeds, with a 95 % bootstrap band where there are two seeds or more.",
}


def baseline_of(page: Path, otherwise: str) -> str:
    """The baseline that a page was made with, so that it can be made again; `otherwise` where it names none."""
    found = re.search(r'<meta name="baseline" content="([^"]+)">', page.read_text(encoding="utf-8"))
    return html.unescape(found[1]) if found else otherwise


def render(baseline: str, sections: Sequence[Section], chapters: Sequence[Chapter] = ()) -> str:
    """The page.

    Args:
        baseline: The arm that others are compared with.
        sections: One for each comparison, in order.
        chapters: Tables and figures beside them, in order.

    Returns:
        HTML with style, scripts and figures inside; equal for equal sections.
    """
    environment = Environment(
        loader=PackageLoader("rewardlab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    parts: list[Section | Chapter] = [*sections, *chapters]
    drawn = {part.anchor: _inline(part.anchor, part.figures) for part in parts}
    template = environment.get_template("report.html.j2")
    return template.render(
        baseline=baseline,
        leading=leading(sections),
        sections=sections,
        chapters=chapters,
        drawn=drawn,
        captions=CAPTIONS,
    )


def _inline(anchor: str, figures: dict[str, Drawing]) -> dict[str, Markup]:
    """SVG elements without the prologue of a file of their own, with ids that no other part of the page has."""
    found = {name: drawn.svg[drawn.svg.index("<svg") :] for name, drawn in figures.items()}
    return {name: Markup(with_prefix(svg, anchor)) for name, svg in found.items()}
