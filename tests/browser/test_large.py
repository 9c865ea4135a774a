"""A run of 10,000 cells: it opens, every cell is there without JavaScript, and chooser and table work."""

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser

from harness.report.formats import UNKNOWN

pytestmark = pytest.mark.browser

PATIENCE_MS = 300_000
"""A busy machine takes long over 10,000 rows, and no test judges a time."""


def test_the_chooser_works_over_all_models(browser: Browser, large: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(large["large"].as_uri())
    form = page.locator("#chooser")

    form.get_by_label("model").select_option(label="model-17, batch 1")
    form.get_by_label("device").select_option(label="2 cores, 512 MiB")
    form.get_by_label("memory at most").fill("200")

    found = page.locator("#chosen tbody tr").all_inner_texts()
    assert len(found) == 5
    assert found[0].startswith("onnxruntime\t1")
    assert any(text.startswith("tensorflow\tfalls out: memory") for text in found)
    page.close()


def test_every_cell_stands_on_its_models_page_without_javascript(
    browser: Browser, large: dict[str, Path]
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(large["large"].as_uri())
    table = pd.read_csv(large["large"].with_name("results.csv"))
    links = page.locator("#models tbody a").evaluate_all("all => all.map(each => each.href)")
    assert len(table) == 10_000
    assert len(links) == 40

    page.goto(links[6])

    own = table[table["model"] == "model-07"]
    shown = page.locator("#all-cells tbody tr td:nth-child(5)").all_inner_texts()
    figures = sorted(float(text) for text in shown if text != UNKNOWN)
    assert figures == pytest.approx(sorted(own["p50_ms"].dropna()), rel=5e-3), "to three digits"
    assert len(shown) == 250
    page.close()


def test_all_cells_stand_in_one_table_that_sorts_and_filters(
    browser: Browser, large: dict[str, Path]
) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(large["large-cells"].as_uri())
    assert page.locator("#all-cells tbody tr").count() == 10_000

    page.locator("#filter").get_by_label("model").select_option("model-40, batch 1")
    page.locator("#filter").get_by_label("status").select_option("out of memory")

    assert page.locator("#filter output").inner_text() == "4 of 10,000 cells"
    link = page.locator("#all-cells tbody tr:not([hidden]) a").first
    link.click()
    assert "model-40.html#tensorflow.model-40." in page.url
    assert page.locator(":target").inner_text().startswith("out of memory")
    page.close()
