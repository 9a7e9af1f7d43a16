"""Frames as LaTeX for `\\input`: booktabs rules, notes below the table.

Needs the packages booktabs, graphicx and longtable.
"""

from __future__ import annotations

from rewardlab.report.frame import Cell, Column, Frame

LONGEST = 40  # rows of a float; more do not fit on a page
_WIDE = 11  # characters of a title that is broken in two

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "−": "$-$",
    "Δ": r"$\Delta$",
    "…": r"\dots{}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def to_latex(frame: Frame, label: str) -> str:
    """A frame as a full-width table float, or, where it is longer than a page, as a table that breaks over pages.

    Args:
        frame: The table.
        label: What `\\ref` finds it by, after "tab:".
    """
    notes = frame.notes()
    alignment = "".join("r" if column.numeric else "l" for column in frame.columns)
    head = " & ".join(_heading(column) for column in frame.columns) + r" \\"
    body = [" & ".join(_cell(cell, notes) for cell in row) + r" \\" for row in frame.rows]
    caption = rf"\caption{{\textbf{{{escape(frame.title)}.}} {escape(frame.caption)}}}"
    below = [rf"\textsuperscript{{{letter}}} {escape(text)}." for text, letter in notes.items()]
    make = _long if len(frame.rows) > LONGEST else _float
    return "\n".join(make(alignment, head, body, caption, rf"\label{{tab:{label}}}", below)) + "\n"


def _float(alignment: str, head: str, body: list[str], caption: str, label: str, below: list[str]) -> list[str]:
    # A table that is too wide shrinks to the text width; a narrow one keeps its size.
    fit = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"
    return [
        r"\begin{table*}[htbp]",
        r"\centering",
        r"\small",
        caption,
        label,
        fit,
        rf"\begin{{tabular}}{{@{{}}{alignment}@{{}}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        *([r"\par\smallskip\raggedright\footnotesize", *below] if below else []),
        r"\end{table*}",
    ]


def _long(alignment: str, head: str, body: list[str], caption: str, label: str, below: list[str]) -> list[str]:
    return [
        r"{\footnotesize",
        rf"\begin{{longtable}}{{@{{}}{alignment}@{{}}}}",
        caption + label + r" \\",
        r"\toprule",
        head,
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        head,
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endlastfoot",
        *body,
        r"\end{longtable}",
        *([r"\noindent", *below] if below else []),
        r"}",
    ]


def escape(text: str) -> str:
    r"""Text as LaTeX prints it.

    >>> escape("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


def _heading(column: Column) -> str:
    """A column's title; a long one above numbers stands in two lines, which keeps the table from shrinking."""
    title = column.title
    places = [i + 1 for i, character in enumerate(title) if character in " _" and 2 < i < len(title) - 3]
    if not column.numeric or len(title) < _WIDE or not places:
        return escape(title)
    # The empty group keeps a bracket that follows from being read as a distance.
    middle = min(places, key=lambda place: abs(2 * place - len(title)))
    return rf"\shortstack[r]{{{escape(title[:middle].rstrip())}\\{{}}{escape(title[middle:])}}}"


def _cell(cell: Cell, notes: dict[str, str]) -> str:
    text = rf"\textbf{{{escape(cell.text)}}}" if cell.bold else escape(cell.text)
    small = rf" {{\scriptsize {escape(cell.small)}}}" if cell.small else ""
    return text + small + (rf"\textsuperscript{{{notes[cell.note]}}}" if cell.note else "")
