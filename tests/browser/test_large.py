"""A run of 1,000 or 10,000 cells: it opens, every cell is there without JavaScript, and chooser and table work."""

import pandas as pd
import pytest
from playwright.sync_api import Browser

from harness.report.formats import UNKNOWN
from tests.browser.conftest import LargeRun

pytestmark = pytest.mark.browser

PATIENCE_MS = 300_000
"""A busy machine takes long over 10,000 rows, and no test judges a time."""


def test_the_chooser_works_over_all_models(browser: Browser, large: LargeRun) -> None:
    page = browser.new_page()
    page.goto(large.page.as_uri())
    form = page.locator("#chooser")

    form.get_by_label("model").select_option(label=f"model-{large.models // 2:02}, batch 1")
    form.get_by_label("device").select_option(label="2 cores, 512 MiB")
    form.get_by_label("memory at most").fill("200")

    found = page.locator("#chosen tbody tr").all_inner_texts()
    assert len(found) == 5
    assert found[0].startswith("onnxruntime\t1")
    assert any(text.startswith("tensorflow\tfalls out: memory") for text in found)
    page.close()


def test_every_cell_stands_on_its_models_page_without_javascript(browser: Browser, large: LargeRun) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(large.page.as_uri())
    table = pd.read_csv(large.page.with_name("results.csv"))
    links = page.locator("#models tbody a").evaluate_all("all => all.map(each => each.href)")
    assert len(table) == 250 * large.models
    assert len(links) == large.models

    page.goto(links[2])

    own = table[table["model"] == "model-03"]
    shown = page.locator("#all-cells tbody tr td:nth-child(5)").all_inner_texts()
    figures = sorted(float(text) for text in shown if text != UNKNOWN)
    assert figures == pytest.approx(sorted(own["p50_ms"].dropna()), rel=5e-3), "to three digits"
    assert len(shown) == 250
    page.close()


def test_without_javascript_the_whole_table_is_drawn(browser: Browser, large: LargeRun) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(large.page.with_name("cells.html").as_uri())
    rows = page.locator("#all-cells tbody tr")

    assert rows.count() == 250 * large.models
    assert rows.last.is_visible()
    page.close()


def test_all_cells_stand_in_one_table_that_sorts_and_filters(browser: Browser, large: LargeRun) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(large.page.with_name("cells.html").as_uri())
    rows, told = page.locator("#all-cells tbody tr"), page.locator("#filter output")
    cells = f"{250 * large.models:,}"
    assert told.inner_text() == f"{cells} of {cells} cells, the first 500 are drawn"
    assert rows.count() == 500
    page.get_by_role("button", name=f"Draw all {cells}").click()
    assert told.inner_text() == f"{cells} of {cells} cells"
    assert rows.count() == 250 * large.models

    page.locator("#filter").get_by_label("model").select_option(f"model-{large.models:02}, batch 1")
    page.locator("#filter").get_by_label("status").select_option("out of memory")

    assert told.inner_text() == f"4 of {cells} cells"
    rows.get_by_role("link").first.click()
    assert f"model-{large.models}.html#tensorflow.model-{large.models:02}." in page.url
    assert page.locator(":target").inner_text().startswith("out of memory")
    page.close()
