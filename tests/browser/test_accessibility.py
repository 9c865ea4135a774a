"""axe on every kind of page, as it stands and with all of it shown: no finding at all, contrast included."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = pytest.mark.browser

PAGES = [
    "sample", "failures", "noisy", "several", "article", "cell",
    "overview", "cells", "model",
    "site-index", "site-host", "site-compared", "site-folder",
]  # fmt: skip
"""Every kind of page there is, by its name in `all_pages`."""


def findings(page: Page) -> list[str]:
    """What axe holds against a page; of each rule no more than five nodes, as two hundred say no more."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found
        for node in each["nodes"][:5]
    ]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, all_pages: dict[str, Path], name: str, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(all_pages[name].as_uri())
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")

    found = findings(page)

    assert not found, "\n".join(found)
    page.close()


@pytest.mark.parametrize("name", ["sample", "overview"])
def test_a_phone_is_no_worse(browser: Browser, all_pages: dict[str, Path], name: str) -> None:
    page = browser.new_page(viewport=ViewportSize(width=360, height=800))
    page.goto(all_pages[name].as_uri())

    found = findings(page)

    assert not found, "\n".join(found)
    page.close()


def test_axe_would_see_a_fault(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["sample"].as_uri())
    page.evaluate(
        "document.querySelector('#filter label').replaceWith(document.querySelector('#filter select'))"
    )

    assert any("select-name" in line for line in findings(page))
    page.close()


def test_the_first_key_leads_past_the_navigation(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["sample"].as_uri())

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.get_by_text("Skip to the content").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def test_whoever_wants_no_motion_has_none(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page(reduced_motion="reduce")
    page.goto(reports["sample"].as_uri())

    moving = page.evaluate("document.getAnimations().length")

    assert moving == 0
    page.close()


def test_marks_keep_their_colours_where_the_system_forces_others(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(forced_colors="active")
    page.goto(reports["failures"].as_uri())

    marks = page.evaluate(
        "[...document.querySelectorAll('table.map th[scope=row]')]"
        ".map(each => getComputedStyle(each, '::before').backgroundColor)"
    )

    assert len(set(marks)) == len(marks) == 5
    page.close()
