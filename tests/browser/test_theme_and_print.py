"""Theme and paper: the system's theme or the reader's, and a print that is light, whole and readable."""

import io
from pathlib import Path
from unicodedata import normalize

import pytest
from playwright.sync_api import Browser, Page, ViewportSize
from pypdf import PdfReader

from harness.report.palette import PAPER_DARK, PAPER_LIGHT
from tests.browser.conftest import LargeRun, Witness

pytestmark = pytest.mark.browser

SHEET = ViewportSize(width=695, height=1000)
"""What is printed on of A4: 210 mm less the margins of 13 mm."""


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def printed(page: Page) -> list[str]:
    """The text of each page on A4."""
    return [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]


def test_a_chosen_theme_is_kept_until_it_is_the_systems_again(
    browser: Browser, reports: dict[str, Path]
) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(reports["sample"].as_uri())
    assert background(page) == rgb(PAPER_LIGHT)

    page.get_by_role("button", name="Dark theme").click()
    assert background(page) == rgb(PAPER_DARK)
    page.goto(reports["failures"].as_uri())
    assert background(page) == rgb(PAPER_DARK), "it holds for every page"
    page.get_by_role("button", name="Light theme").click()
    assert background(page) == rgb(PAPER_LIGHT)
    page.emulate_media(color_scheme="dark")
    assert background(page) == rgb(PAPER_DARK), "the system is followed again"
    assert page.get_by_role("button", name="Light theme").is_visible()
    context.close()


def test_a_chosen_theme_holds_on_every_kind_of_page(browser: Browser, all_pages: dict[str, Path]) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(all_pages["sample"].as_uri())
    page.get_by_role("button", name="Dark theme").click()

    for name, path in all_pages.items():
        page.goto(path.as_uri())
        assert background(page) == rgb(PAPER_DARK), name
        assert page.get_by_role("button", name="Light theme").is_visible(), name
    context.close()


def test_a_page_without_storage_has_its_theme_all_the_same(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(color_scheme="dark")
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError') } })"
    )
    witness = Witness(page)
    page.goto(reports["sample"].as_uri())

    page.get_by_role("button", name="Light theme").click()

    assert background(page) == rgb(PAPER_LIGHT)
    assert witness.said == []
    page.close()


def test_nothing_to_choose_stands_there_without_javascript(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(java_script_enabled=False, color_scheme="dark")
    page.goto(reports["sample"].as_uri())

    assert background(page) == rgb(PAPER_DARK)
    assert not page.locator("#theme").is_visible()
    assert page.locator("button:visible").count() == 0
    page.close()


def test_a_print_has_all_of_it_and_none_of_the_controls(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["failures"].as_uri())

    sheets = printed(page)

    text = " ".join("\n".join(sheets).split())
    assert 4 <= len(sheets) <= 25
    assert all(sheet.strip() for sheet in sheets), "no blank sheet"
    assert "thrashing" in text
    assert "Resource exhausted: failed to allocate" in text, "what is folded is printed"
    assert "RuntimeError" in text
    for control in ("Dark theme", "Show all", "Skip to the content", "memory at most", "Save as"):
        assert control not in text
    page.close()


def test_a_chosen_dark_theme_stays_off_the_paper(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(reports["sample"].as_uri())
    page.get_by_role("button", name="Light theme").click()
    page.get_by_role("button", name="Dark theme").click()
    page.emulate_media(media="print", color_scheme="dark")

    assert background(page) == "rgb(255, 255, 255)"
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(27, 27, 30)"
    page.close()


def test_the_head_of_a_table_stands_on_every_sheet_of_it(browser: Browser, large: LargeRun) -> None:
    page = browser.new_page()
    page.goto(large.page.with_name("model-1.html").as_uri())

    sheets = printed(page)

    assert len([sheet for sheet in sheets if "CPUs asked" in sheet]) >= 4
    page.close()


def test_folds_are_as_they_were_after_printing(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["failures"].as_uri())
    count = "document.querySelectorAll('details[open]').length"
    folds = page.locator("details").count()

    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(count) == folds > 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")

    assert page.evaluate(count) == 0
    page.close()


@pytest.mark.parametrize(
    "name",
    ["sample", "failures", "noisy", "several", "article", "cell", "site-index", "site-host", "site-compared"],
)
def test_nothing_is_wider_than_a_sheet(browser: Browser, all_pages: dict[str, Path], name: str) -> None:
    page = browser.new_page(viewport=SHEET)
    page.emulate_media(media="print")
    page.goto(all_pages[name].as_uri())
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")

    wide = page.locator("table").evaluate_all(
        "(all, width) => all.filter(each => each.getBoundingClientRect().right > width).map(each => each.outerHTML)",
        SHEET["width"],
    )

    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SHEET["width"]
    page.close()


def test_the_text_of_a_print_has_each_name_before_its_figures(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page()
    page.goto(reports["sample"].as_uri())
    rows = page.locator("#w1-start tbody tr:not(.limit)").evaluate_all(
        "all => all.map(row => [...row.children].slice(0, 3).map(cell => cell.firstChild.textContent.trim()))"
    )

    text = " ".join(normalize("NFKC", "\n".join(printed(page))).split())

    assert len(rows) == 20
    for row in rows:
        assert " ".join(row) in text
    page.close()
