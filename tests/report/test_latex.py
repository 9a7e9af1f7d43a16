from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from rewardlab.report.frame import Cell, Column, Frame
from rewardlab.report.latex import LONGEST, escape, to_latex


def test_a_frame_becomes_a_booktabs_table() -> None:
    rows = ((Cell("a_b"), Cell("−3.3", "[−5.0, 1.0]", "why", bold=True)),)
    text = to_latex(Frame("t", "Results", "50 % of n.", (Column("arm", numeric=False), Column("Δ")), rows), "main")
    for part in (
        r"\begin{tabular}{@{}lr@{}}",
        r"arm & $\Delta$ \\",
        r"a\_b & \textbf{$-$3.3} {\scriptsize [$-$5.0, 1.0]}\textsuperscript{a} \\",
        r"\textsuperscript{a} why.",
        r"\caption{\textbf{Results.} 50 \% of n.}",
        r"\label{tab:main}",
    ):
        assert part in text
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1


@given(st.text())
def test_no_special_character_is_left_bare(text: str) -> None:
    bare = escape(text)
    for command in (
        r"\textbackslash{}",
        r"\textasciitilde{}",
        r"\textasciicircum{}",
        r"\textless{}",
        r"\textgreater{}",
    ):
        bare = bare.replace(command, "")
    bare = re.sub(r"\\dots\{\}|\$\\(Delta|geq|leq|times)\$|\$-\$", "", bare)
    for character in "&%$#_{}":
        assert bare.count(character) == bare.count(f"\\{character}")
    assert not set("~^<>") & set(bare)


def test_a_long_title_above_numbers_stands_in_two_lines() -> None:
    columns = (Column("a long title in words", numeric=False), Column("strict % [95 % CI]"), Column("b/c"))
    text = to_latex(Frame("t", "T", "", columns, ((Cell("x"), Cell("1"), Cell("2")),)), "t")
    assert r"a long title in words & \shortstack[r]{strict \%\\{}[95 \% CI]} & b/c \\" in text


def test_a_table_longer_than_a_page_breaks_over_pages() -> None:
    rows = tuple((Cell(str(i)),) for i in range(LONGEST + 1))
    text = to_latex(Frame("t", "T", "", (Column("x"),), rows), "t")
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 1
    assert r"\begin{table*}" not in text and r"\label{tab:t}" in text
