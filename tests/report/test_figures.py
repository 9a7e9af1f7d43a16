from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from rewardlab.evaluation.finished import read_runs
from rewardlab.report.canvas import INK, Drawing
from rewardlab.report.comparison import Comparison, compare
from rewardlab.report.figures import figures

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def comparison(folders: list[Path]) -> Comparison:
    (found,) = compare(read_runs(folders), "direct")
    return found


@pytest.fixture(scope="module")
def drawn(comparison: Comparison) -> dict[str, Drawing]:
    return figures(comparison)


def texts(drawing: Drawing) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(drawing.svg).iter(f"{SVG}text")]


def test_a_figure_is_drawn_for_what_there_is_to_show(drawn: dict[str, Drawing], folders: list[Path]) -> None:
    assert set(drawn) == {"accuracy", "budget", "position", "flips"}
    (blind,) = compare(read_runs(folders[3:]), "direct")
    assert set(figures(blind)) == {"accuracy", "position"}
    (alone,) = compare(read_runs(folders[:1]), "direct")
    assert alone.run.usage.calls and "budget" not in figures(alone)  # nothing to weigh it against


def test_equal_input_gives_equal_bytes(comparison: Comparison, drawn: dict[str, Drawing]) -> None:
    again = figures(comparison)
    assert {name: drawing.svg for name, drawing in again.items()} == {name: d.svg for name, d in drawn.items()}
    assert again["accuracy"].pdf() == drawn["accuracy"].pdf()


def test_the_pdf_is_vector_and_holds_its_fonts(drawn: dict[str, Drawing]) -> None:
    pdf = drawn["accuracy"].pdf()
    assert pdf.startswith(b"%PDF") and b"/FontFile2" in pdf
    assert b"/Subtype /Image" not in pdf and b"CreationDate" not in pdf


def test_without_a_baseline_there_is_no_empty_panel_of_differences(folders: list[Path]) -> None:
    (alone,) = compare(read_runs(folders), "nobody")
    assert "filled: survives Holm" not in texts(figures(alone)["accuracy"])


@pytest.mark.parametrize("name", ["accuracy", "position"])
def test_every_arm_is_named(drawn: dict[str, Drawing], comparison: Comparison, name: str) -> None:
    assert {arm.label for arm in comparison.arms} <= set(texts(drawn[name]))


def test_only_arms_that_used_tokens_are_on_the_budget(drawn: dict[str, Drawing]) -> None:
    found = texts(drawn["budget"])
    assert {"direct", "skill", "quiet"} <= set(found) and "random" not in found


def test_flips_show_the_discordant_counts(drawn: dict[str, Drawing], comparison: Comparison) -> None:
    counts = [str(n) for arm in comparison.arms if arm.difference for n in arm.difference.test[4:6]]
    found = texts(drawn["flips"])
    assert [text for text in found if text.isdigit()] == counts


def test_no_date_and_no_fixed_text_colour(drawn: dict[str, Drawing]) -> None:
    for svg, _ in drawn.values():
        assert "dc:date" not in svg
        assert INK not in svg and "currentColor" in svg


def test_ids_of_two_figures_do_not_clash(drawn: dict[str, Drawing]) -> None:
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg, _ in drawn.values()]
    assert len(set().union(*ids)) == sum(map(len, ids))
    for (svg, _), own in zip(drawn.values(), ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= own
