"""The page in a real browser; skipped where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewardlab.report.write import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")

Page = sync_api.Page


@pytest.fixture(scope="module")
def report(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page")
    write_report(folders, out, traces=None)
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: sync_api.Browser, report: Path) -> Iterator[Page]:
    """The report, opened from the disk without a network; an error in a script fails the test."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto((report / "report.html").as_uri())
    yield opened
    assert errors == []
    context.close()


def test_a_heading_sorts_down_then_up_and_keeps_empty_cells_last(page: Page) -> None:
    table = page.locator("figure.table").first
    score = table.get_by_role("button", name="strict %")
    score.click()
    down = table.locator("tbody td:nth-child(3)").all_inner_texts()
    score.click()
    up = table.locator("tbody td:nth-child(3)").all_inner_texts()

    def numbers(texts: list[str]) -> list[float]:
        return [float(text.split()[0]) for text in texts if text[0].isdigit()]

    assert numbers(down) == sorted(numbers(down), reverse=True)
    assert numbers(up) == sorted(numbers(up))
    assert table.locator("th[aria-sort]").count() == 1
    p = table.get_by_role("button", name="p (Holm)")
    p.click()
    texts = table.locator("tbody td:nth-child(8)").all_inner_texts()
    filled = ["–" not in text and text.strip() != "" for text in texts]
    assert filled == sorted(filled, reverse=True)


def test_a_filter_hides_the_other_rows_and_gives_them_back(page: Page) -> None:
    runs = page.locator("figure.table", has=page.get_by_role("heading", name="Results"))
    rows = runs.locator("tbody tr")
    before = rows.count()
    runs.get_by_placeholder("filter rows").fill("skill")
    assert rows.locator("visible=true").count() == 1
    runs.get_by_placeholder("filter rows").fill("")
    assert rows.locator("visible=true").count() == before


def test_all_columns_are_shown_when_asked_for(page: Page) -> None:
    table = page.locator("figure.table").first
    heading = table.get_by_role("columnheader", name="without verdict")
    assert not heading.is_visible()
    table.get_by_label("all columns").check()
    assert heading.is_visible()


def test_any_judgment_can_be_read(page: Page) -> None:
    page.get_by_role("button", name="Read single judgments").click()
    page.get_by_text("judgments, those that differ from the baseline first").wait_for()
    rows = page.locator(".judgments tbody tr")
    assert rows.count() == 3 * 80
    page.get_by_placeholder("filter judgments").fill("gpt/pair_7")
    shown = rows.locator("visible=true")
    assert shown.count() == 6  # three arms, both orders
    shown.first.get_by_role("button").click()
    trace = page.locator(".reader .trace")
    text = trace.inner_text()
    for part in (
        "question",
        "gpt/pair_7",
        "order shown",
        "verdict",
        "gold",
        "cost",
        "1. prompt",
        "What is 7 + 8?",
        "reply",
    ):
        assert part in text, part
    assert "which is <b>long</b> & wrong" in text  # a candidate's markup stays text
    assert trace.locator("b").count() == 0


def test_where_the_judgments_are_not_the_page_says_how_to_get_them(
    browser: sync_api.Browser, report: Path, tmp_path: Path
) -> None:
    shutil.copy(report / "report.html", tmp_path)
    alone = browser.new_page()
    alone.goto((tmp_path / "report.html").as_uri())
    alone.get_by_role("button", name="Read single judgments").click()
    said = alone.get_by_text("experiments/report.py writes it")
    said.wait_for()
    assert said.is_visible()
    alone.close()


@pytest.mark.parametrize("width", [1400, 420])
def test_nothing_is_wider_than_the_window_and_no_figure_overlaps_another(
    browser: sync_api.Browser, report: Path, width: int
) -> None:
    narrow = browser.new_page(viewport={"width": width, "height": 900})
    narrow.goto((report / "report.html").as_uri())
    assert narrow.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [box.bounding_box() for box in narrow.locator("figure").all()]
    placed = sorted((b for b in boxes if b), key=lambda b: (b["y"], b["x"]))
    for one in placed:
        for other in placed:
            if one is not other:
                apart = (
                    one["x"] + one["width"] <= other["x"] + 1
                    or other["x"] + other["width"] <= one["x"] + 1
                    or one["y"] + one["height"] <= other["y"] + 1
                    or other["y"] + other["height"] <= one["y"] + 1
                )
                assert apart, (one, other)
    narrow.close()


def test_the_main_result_is_seen_without_scrolling(page: Page) -> None:
    box = page.get_by_text("points to direct: better").first.bounding_box()
    assert box is not None and box["y"] + box["height"] < 900
