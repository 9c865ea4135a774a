"""The chooser in a real browser: needs, places, reasons, and the address."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Witness

pytestmark = pytest.mark.browser


def opened(browser: Browser, path: Path, address: str = "") -> Page:
    page = browser.new_page()
    page.goto(path.as_uri() + address)
    return page


def rows(page: Page) -> dict[str, list[str]]:
    """What stands beside each framework."""
    found = page.locator("#chosen tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in found}


def test_without_needs_everybody_is_ranked_as_the_trials_prove(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = opened(browser, reports["sample"])
    found = rows(page)
    assert next(iter(found)) == "onnxruntime"
    assert found["onnxruntime"][0] == "1"
    assert len(found) == 5
    page.close()


def test_who_misses_a_need_falls_out_with_the_reason_and_the_others_move_up(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = opened(browser, reports["sample"])
    before = rows(page)
    page.get_by_label("memory at most").fill("200")
    page.get_by_label("start-up at most").fill("0.9")
    found = rows(page)
    assert found["tensorflow"][0].startswith("falls out: memory ")
    assert "MiB at the cap, over 200; start-up " in found["tensorflow"][0]
    assert re.fullmatch(r"falls out: start-up 0\.929 s \[[\d., ]+\], over 0\.9", found["openvino"][0])
    assert found["onnxruntime"] == before["onnxruntime"]
    page.get_by_label("at least").fill("1000000")
    assert "under 1,000,000" in rows(page)["onnxruntime"][0]
    assert page.locator("#chosen caption").inner_text() == "Nothing fits"
    page.close()


LABELS = {
    2: "p99 at most", 3: "memory at most", 4: "start-up at most", 5: "at least",
}  # fmt: skip
"""The fields by the column of the figure that they are held against."""


@pytest.mark.parametrize(("column", "label"), LABELS.items())
def test_a_figure_as_it_is_shown_is_never_refused_for_itself(
    browser: Browser, reports: dict[str, Path], column: int, label: str
) -> None:
    page = opened(browser, reports["sample"])
    for name, texts in rows(page).items():
        page.get_by_label(label).fill(texts[column].split("\n")[0])
        told = rows(page)[name][0]
        assert not told.startswith("falls out"), told
    page.close()


def test_a_need_within_an_interval_is_met_for_nobody_sure(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["sample"])
    shown, low, high = re.findall(r"[\d.]+", rows(page)["onnxruntime"][2])
    field = page.get_by_label("p99 at most")
    told = {}
    for need in (shown, low, high, "0"):
        field.fill(need)
        told[need] = rows(page)["onnxruntime"]
    assert told[shown] == [f"not sure: p99 {shown} ms, its interval reaches {high} ms"]
    assert told[low] == [f"not sure: p99 {shown} ms, its interval reaches {low} ms"]
    assert told[high][0] == "1"
    assert told["0"] == [f"falls out: p99 {shown} ms [{low}, {high}], over 0"]
    field.fill(low)
    assert page.locator("#chooser output").inner_text() == "0 fit, 1 not sure, 4 fall out"
    assert page.locator("#chosen caption").inner_text() == "Nothing surely fits"
    page.close()


def test_a_peak_at_the_cap_proves_only_what_is_needed_at_least(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = opened(browser, reports["sample"])
    assert rows(page)["tensorflow"][3] == "476\nat the cap"
    page.get_by_label("memory at most").fill("476")
    assert rows(page)["tensorflow"] == ["not sure: memory 476 MiB, at the cap"]
    page.get_by_label("memory at most").fill("475")
    assert rows(page)["tensorflow"] == ["falls out: memory 476 MiB at the cap, over 475"]
    page.close()


def test_what_is_unknown_proves_nothing(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["failures"])
    page.get_by_label("device").select_option(label="1 core, 256 MiB (pi-zero-2w)")
    page.get_by_label("p99 at most").fill("9")
    assert rows(page)["onnxruntime"] == ["not sure: p99 unknown: too few samples"]
    page.close()


def test_tags_stand_beside_a_name(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["noisy"])
    own = page.locator("#chosen tbody th", has_text="onnxruntime")
    assert "spoiled 1/5" in own.locator(".flag").all_inner_texts()
    page.close()


def test_figures_are_those_of_the_tables(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["sample"])
    shown = [
        [name, *(texts[column].split("\n")[0] for column in (1, 2, 5, 3, 4))]
        for name, texts in rows(page).items()
    ]
    lines = page.locator("#all-cells tbody tr", has_text="1 core, 512 MiB").all()
    cells = [[line.locator("th").inner_text(), *line.locator("td").all_inner_texts()] for line in lines]
    assert sorted(shown) == sorted([row[0], row[4], *row[7:9], *row[10:12]] for row in cells)
    page.close()


@pytest.mark.parametrize("need", ["-5", "x", "0,5", "1e999"])
def test_a_need_that_is_no_number_of_0_or_more_is_refused_in_words(
    browser: Browser, reports: dict[str, Path], need: str
) -> None:
    page = opened(browser, reports["sample"])
    field = page.get_by_label("p99 at most")
    field.fill(need)
    told = page.locator("#chooser output").inner_text()
    assert told == f"5 fit, 0 not sure, 0 fall out; p99 is left out, as “{need}” is no number of 0 or more"
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("46,970")
    assert page.locator("#chooser output").inner_text() == "5 fit, 0 not sure, 0 fall out"
    page.close()


def test_only_a_short_line_is_announced_of_a_change(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["sample"])
    told = page.locator("#chooser output")
    assert told.inner_text() == "5 fit, 0 not sure, 0 fall out"
    page.get_by_label("memory at most").fill("100")
    assert told.inner_text() == "1 fits, 0 not sure, 4 fall out"
    assert page.locator("#choose [aria-live]").all_inner_texts() == [told.inner_text()]
    page.close()


def test_failed_cells_fall_out_with_how_they_ended(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["failures"])
    told = " ".join(text for texts in rows(page).values() for text in texts)
    assert "falls out: out of time in compile after 2 min 00 s" in told
    assert "falls out: image not built" in told
    page.close()


def test_the_address_keeps_and_restores_what_was_asked(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["sample"])
    page.get_by_label("device").select_option(index=3)
    page.get_by_label("memory at most").fill("150")
    kept, found = str(page.evaluate("location.search + location.hash")), rows(page)
    page.close()
    again = opened(browser, reports["sample"], kept)
    assert again.get_by_label("memory at most").input_value() == "150"
    assert rows(again) == found
    again.close()


def test_going_to_another_part_keeps_what_was_asked(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["sample"])
    page.get_by_label("device").select_option(index=3)
    page.get_by_label("memory at most").fill("150")
    found = rows(page)

    page.get_by_role("link", name="All cells").first.click()

    assert page.evaluate("location.hash") == "#cells"
    assert rows(page) == found
    page.reload()
    assert page.get_by_label("device").evaluate("select => select.selectedIndex") == 3
    assert page.get_by_label("memory at most").input_value() == "150"
    assert rows(page) == found
    page.close()


def test_the_form_is_what_the_address_says_and_no_more(browser: Browser, reports: dict[str, Path]) -> None:
    page = opened(browser, reports["sample"], "?subject=0&limit=0&p99=0.1&cells.framework=jax#choose")
    page.evaluate("location.hash = 'answer'")
    page.get_by_label("p99 at most").fill("")
    page.get_by_label("memory at most").fill("150")
    assert page.evaluate("location.search") == "?subject=0&limit=0&cells.framework=jax&memory=150"

    page.go_back()

    assert page.evaluate("location.hash") == "#choose"
    assert page.get_by_label("p99 at most").input_value() == "0.1"
    assert page.get_by_label("memory at most").input_value() == ""
    page.close()


@pytest.mark.parametrize(
    "address", ["?subject=99&limit=7&p99=x#choose", "?subject=-1&limit=", "?#answer", "?%3C&&#%3Cscript%3E"]
)
def test_a_strange_address_does_no_harm(browser: Browser, reports: dict[str, Path], address: str) -> None:
    page = browser.new_page()
    witness = Witness(page)
    page.goto(reports["sample"].as_uri() + address)
    assert len(rows(page)) == 5
    assert witness.said == []
    page.close()


def test_without_javascript_there_is_no_chooser_and_still_an_answer(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(reports["sample"].as_uri())
    assert not page.locator("#choose").is_visible()
    assert page.locator("#answer").is_visible()
    page.close()
