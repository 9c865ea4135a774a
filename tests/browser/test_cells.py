"""The table of all cells in a real browser: sorting, filters, the address, and without JavaScript the whole of it."""

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from harness.report.formats import UNKNOWN
from tests.browser.conftest import Witness

pytestmark = pytest.mark.browser


def opened(browser: Browser, path: Path, address: str = "") -> Page:
    page = browser.new_page()
    page.goto(path.as_uri() + address)
    return page


def column(page: Page, number: int) -> list[str]:
    """The texts of one column, of the rows that are shown."""
    found: list[str] = page.locator("#all-cells tbody tr").evaluate_all(
        "(rows, number) => rows.map(row => row.cells[number].textContent.trim())", number
    )
    return found


def sort_button(page: Page, name: str) -> None:
    page.locator("#all-cells").get_by_role("button", name=name).first.click()


def test_without_javascript_all_of_it_is_there_the_best_first(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(reports["failures"].as_uri())
    table = pd.read_csv(reports["failures"].with_name("results.csv"))

    shown = [float(text) for text in column(page, 4) if text != UNKNOWN]

    assert len(column(page, 0)) == len(table)
    assert shown == sorted(shown)
    assert shown == [float(f"{value:.3g}") for value in sorted(table[table["status"] == "ok"]["p50_ms"])]
    assert column(page, 4)[len(shown) :] == [UNKNOWN] * (len(table) - len(shown))
    assert not page.locator("#filter").is_visible()
    assert page.locator("#all-cells button").count() == 0
    page.close()


def test_a_head_sorts_up_then_down_with_the_unknown_last(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["failures"])

    sort_button(page, "start")
    up = column(page, 11)
    head = page.locator("#all-cells th[aria-sort]")
    assert head.get_attribute("aria-sort") == "ascending"
    sort_button(page, "start")
    down = column(page, 11)

    known = [float(text) for text in up if text != UNKNOWN]
    assert known == sorted(known)
    assert up[len(known) :] == [UNKNOWN] * (len(up) - len(known))
    assert [float(text) for text in down if text != UNKNOWN] == known[::-1]
    assert down[-1] == UNKNOWN
    assert head.get_attribute("aria-sort") == "descending"
    assert head.count() == 1
    page.close()


def test_limits_sort_by_what_they_are_and_not_as_words(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["sample"])

    sort_button(page, "limit")

    assert list(dict.fromkeys(column(page, 2))) == [
        "1 core, 512 MiB", "1 core, 8 GiB", "2 cores, 512 MiB", "2 cores, 8 GiB",
    ]  # fmt: skip
    page.close()


def test_filters_hide_rows_and_say_how_many_are_left(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["failures"])
    shown = page.locator("#filter output")
    assert shown.inner_text() == "15 of 15 cells"
    assert shown.get_attribute("aria-live") == "polite"
    form = page.locator("#filter")

    form.get_by_label("framework").select_option("jax")
    assert set(column(page, 0)) == {"jax"}
    assert shown.inner_text() == "3 of 15 cells"
    form.get_by_label("status").select_option("crashed")
    assert shown.inner_text() == "1 of 15 cells"
    form.get_by_role("button", name="Show all").click()
    assert shown.inner_text() == "15 of 15 cells"
    form.get_by_label("text").fill("OUT OF")
    assert set(column(page, 3)) == {"out of memory", "out of time"}
    page.close()


def test_the_address_keeps_table_and_chooser_beside_each_other(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = opened(browser, reports["sample"])
    page.locator("#filter").get_by_label("framework").select_option("jax")
    sort_button(page, "peak")
    page.locator("#chooser").get_by_label("memory at most").fill("150")
    page.locator("#filter").get_by_label("text").fill("8 GiB")
    kept, found, chosen = (
        page.evaluate("location.search + location.hash"),
        column(page, 10),
        page.locator("#chosen").inner_text(),
    )
    page.close()

    again = opened(browser, reports["sample"], kept)

    assert column(again, 10) == found
    assert len(found) == 2
    again.wait_for_load_state("load")
    below = again.locator("nav").evaluate("bar => bar.getBoundingClientRect().bottom")
    top = again.locator("#cells").evaluate("part => part.getBoundingClientRect().top")
    assert below <= top < below + 100
    assert again.locator("#chosen").inner_text() == chosen
    assert "over 150" in chosen
    again.close()


def test_an_address_that_names_what_is_not_here_says_so_and_shows_all(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page()
    witness = Witness(page)
    page.goto(reports["sample"].as_uri() + "?cells.framework=tvm&cells.sort=-nothing&cells.text=#cells")

    told = page.locator("#filter output").inner_text()

    assert told == "20 of 20 cells; the address names a framework that is not here"
    assert witness.said == []
    page.close()
