"""The paper and the pencils of figures: one style, and a figure as SVG for the page and as PDF for LaTeX.

Vector, readable in grey, and byte-identical for equal input. In an SVG text stays text and dark strokes take the colour
of the page around them, so a figure suits a light and a dark page. Shapes tell roles apart, never colour alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010203"  # replaced by the page's own text colour
GREY = "#808080"
_STYLE: Any = {
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


class Drawing(NamedTuple):
    """A figure.

    Attributes:
        svg: Its text.
        pdf: Makes its PDF, which only the paper needs.
    """

    svg: str
    pdf: Callable[[], bytes]


@contextmanager
def canvas(title: str, lines: int, width: float = 8.4) -> Iterator[tuple[Figure, Callable[[], Drawing]]]:
    """A figure in the project's style, and the function that finishes it.

    Args:
        title: Names it: ids in the SVG begin with it, and screen readers say it.
        lines: How many lines of text it must be tall enough for.
        width: In inches.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    name = re.sub(r"\W+", "-", title)
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width, 1.0 + 0.28 * lines), layout="constrained")
        FigureCanvasSVG(figure)

        def save() -> Drawing:
            svg = io.StringIO()
            figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
            return Drawing(_at_home_in_a_page(svg.getvalue(), name), partial(_pdf, figure))

        yield figure, save


def _pdf(figure: Figure) -> bytes:
    import matplotlib as mpl

    file = io.BytesIO()
    with mpl.rc_context(_STYLE):
        undated = dict.fromkeys(("CreationDate", "Creator", "Producer"))
        figure.savefig(file, format="pdf", transparent=True, metadata=undated)
    return file.getvalue()


def plain_numbers(axis: Any) -> None:
    """Ticks at 1, 2 and 5 times a power of ten, or at round numbers where the axis spans less than a decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 10 * low else MaxNLocator(5))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def with_prefix(svg: str, prefix: str) -> str:
    """An SVG whose ids, and what refers to them, begin with a prefix."""
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)


def _at_home_in_a_page(svg: str, name: str) -> str:
    """Ids that are unique in a page of several figures, the page's text colour, and a name for screen readers."""
    svg = with_prefix(svg, name)
    # The fonts that measured the text come first; the reader's own stand in for them.
    svg = svg.replace(INK, "currentColor").replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)
