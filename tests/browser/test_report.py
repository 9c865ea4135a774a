"""The page in a real browser, opened from disk."""

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from harness.report.palette import DARK, LIGHT, PAPER_DARK, PAPER_LIGHT
from tests.browser.conftest import Witness
from tests.unit.books import page as rendered
from tests.unit.test_report_page import HOSTILE, SCRIPTS, poisoned

pytestmark = pytest.mark.browser

PHONE = ViewportSize(width=360, height=800)
DESK = ViewportSize(width=1440, height=900)
PAGES = ["sample", "failures", "noisy", "article", "cell"]


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_disk_in_silence(
    browser: Browser, reports: dict[str, Path], name: str, scheme: str
) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    witness = Witness(page)

    page.goto(reports[name].as_uri())
    page.wait_for_load_state("networkidle")

    assert witness.said == []
    assert [url for url in witness.asked if not url.startswith("data:")] == [reports[name].as_uri()]
    assert background(page) == rgb(PAPER_DARK if scheme == "dark" else PAPER_LIGHT), (
        "the policy lets the style in"
    )
    page.close()


def test_every_median_is_visible_without_javascript(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(reports["sample"].as_uri())
    table = pd.read_csv(reports["sample"].with_name("results.csv"))

    shown = page.locator("#w1-latency table").first.locator("tbody td:nth-child(3)").all_inner_texts()
    mapped = page.locator("table.map td b").all_inner_texts()

    expected = sorted(f"{1000 * p50:.3g}" for p50 in table["p50_ms"])
    assert sorted(shown) == expected
    assert sorted(mapped) == expected
    page.close()


def test_every_failure_is_told_without_javascript(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(reports["failures"].as_uri())

    shown = page.locator("table.map").inner_text()

    for words in ("thrashing", "out of memory", "out of time", "crashed", "wrong output", "image not built"):
        assert words in shown
    for words in ("limits not enforced", "skipped", "interrupted", "unsupported"):
        assert words in shown
    page.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 360, 768, 1440, 2560])
def test_only_tables_scroll_sideways(
    browser: Browser, reports: dict[str, Path], name: str, width: int
) -> None:
    page = browser.new_page(viewport=ViewportSize(width=width, height=900))
    page.goto(reports[name].as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_table_is_cut_off_on_a_small_desktop(
    browser: Browser, reports: dict[str, Path], name: str
) -> None:
    page = browser.new_page(viewport=ViewportSize(width=1280, height=900))
    page.goto(reports[name].as_uri())

    cut = page.locator(".scroll").evaluate_all(
        "all => all.filter(each => each.scrollWidth > each.clientWidth).map(each => each.ariaLabel)"
    )

    assert cut == []
    page.close()


def test_a_cut_table_fades_until_it_is_scrolled_to_its_end(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(reports["sample"].as_uri())
    table = page.locator(".scroll").first
    mask = """(each, left) => new Promise(done => {
        each.scrollLeft = left;
        requestAnimationFrame(() => requestAnimationFrame(() => done(getComputedStyle(each).maskImage)));
    })"""

    assert "gradient" in str(table.evaluate(mask, 0))
    assert table.evaluate(mask, 10_000) == "none"
    page.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 360, 1440])
def test_no_text_of_a_chart_leaves_it_or_meets_another(
    browser: Browser, reports: dict[str, Path], name: str, width: int
) -> None:
    page = browser.new_page(viewport=ViewportSize(width=width, height=900))
    page.goto(reports[name].as_uri())

    # An axis is drawn once and used by many charts: its labels count in each.
    page.evaluate(
        """() => document.querySelectorAll('figure use[href$="-axis"], figure use[href$="-axes"]').forEach(
            use => use.replaceWith(document.querySelector(use.getAttribute('href')).cloneNode(true)))"""
    )
    collisions = page.evaluate(
        """() => [...document.querySelectorAll('figure > svg')].flatMap(chart => {
            const frame = chart.getBoundingClientRect();
            const texts = [...chart.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
            const outside = texts.filter(([, b]) => b.left < frame.left - 1 || b.right > frame.right + 1);
            const meeting = texts.flatMap(([one, a], i) => texts.slice(i + 1)
                .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
                .map(([other]) => one + ' / ' + other));
            return [...outside.map(([text]) => text), ...meeting];
        })"""
    )

    assert collisions == []
    page.close()


def test_charts_are_named_images(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["sample"].as_uri())

    charts = page.get_by_role("img", name="2 cores, 8 GiB")

    assert charts.count() == 7, "four of one axis, and three of two"
    assert page.locator("svg[role=img]").count() == 30
    page.close()


def test_the_lines_of_a_plot_begin_and_end_at_their_markers(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(reports["sample"].as_uri())

    distances = page.locator("#w1-percentiles figure > svg").first.evaluate(
        """chart => [...chart.querySelectorAll('path.curve')].map((curve, i) => {
            const line = curve.getBoundingClientRect();
            const markers = chart.querySelectorAll('g[class^=f]')[i].querySelectorAll('use');
            const last = markers[markers.length - 1].getBoundingClientRect();
            return Math.abs(line.right - (last.left + last.right) / 2);
        })"""
    )

    assert len(distances) == 5
    assert max(distances) < 2
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_line_has_the_colour_of_its_framework(
    browser: Browser, reports: dict[str, Path], scheme: str
) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(reports["sample"].as_uri())
    palette = {rgb(colour) for colour in (DARK if scheme == "dark" else LIGHT)[:5]}

    strokes = page.locator("#w1-breakeven path.curve").evaluate_all(
        "all => all.map(each => getComputedStyle(each).stroke)"
    )

    assert set(strokes) == palette
    page.close()


def test_print_is_light_whole_and_without_navigation(
    browser: Browser, reports: dict[str, Path], screenshots: Path
) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(reports["failures"].as_uri())
    page.emulate_media(media="print", color_scheme="dark")

    assert background(page) == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert page.locator("details pre").first.bounding_box() is not None, "folded evidence is printed"
    printed = page.pdf(format="A4", path=screenshots / "failures-print.pdf")
    assert printed.startswith(b"%PDF")
    assert len(printed) < 600_000, "nothing on paper costs a path per letter or a pattern per cell"
    page.close()


def test_the_keyboard_reaches_every_table_and_fold(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["failures"].as_uri())

    unreachable = page.locator(".scroll:not([tabindex='0']), .scroll:not([aria-label])").count()

    assert unreachable == 0
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.close()


def test_a_tag_in_the_map_leads_to_its_warning(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["noisy"].as_uri())

    page.locator("table.map").get_by_role("link", name="throttled").first.click()

    assert page.url.endswith("#warnings")
    assert "the quota stopped it" in page.locator(":target").inner_text()
    page.close()


def test_the_columns_of_the_map_stay_readable(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page(viewport=ViewportSize(width=1280, height=900))
    page.goto(reports["noisy"].as_uri())

    boxes = page.locator("table.map thead th").evaluate_all(
        "all => all.map(each => [each.clientWidth, each.scrollWidth])"
    )

    assert all(shown >= needed for shown, needed in boxes)
    assert page.locator("table.map td .flag").first.is_visible()
    page.close()


def test_a_link_of_the_map_leads_to_its_evidence(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(reports["failures"].as_uri())

    page.locator("table.map").get_by_role("link", name="out of memory").click()

    assert page.url.endswith("#tensorflow.spam-fnn.c1.m256m.b1")
    assert page.locator(":target").inner_text().startswith("out of memory")
    page.close()


def test_a_cells_name_leads_to_its_page_and_back(browser: Browser, reports: dict[str, Path]) -> None:
    name = "jax.spam-fnn.c1.m256m.b1"
    page = browser.new_page()
    page.goto(reports["failures"].as_uri())

    page.locator("#failures").get_by_role("link", name=name).click()

    assert page.url == reports["failures"].with_name("cells").joinpath(f"{name}.html").as_uri()
    assert f"--only '{name}'" in page.locator("#repeat pre").inner_text()
    page.get_by_role("link", name="Back to the run").click()
    assert page.locator(":target").inner_text().startswith("crashed")
    page.close()


def test_hostile_texts_are_inert(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(rendered(*poisoned()))
    page = browser.new_page()
    witness = Witness(page)

    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")

    assert witness.said == []
    assert [url for url in witness.asked if not url.startswith("data:")] == [path.as_uri()]
    assert page.locator("img, iframe").count() == 0
    assert page.locator("script").count() == SCRIPTS
    assert HOSTILE in page.locator("#chosen").inner_text()
    assert page.locator("style").count() == 1
    assert page.locator("h1").is_visible()
    page.locator("summary").first.click()
    assert HOSTILE in page.locator("details pre").first.inner_text()
    page.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kind", ["light", "dark", "phone"])
def test_screenshots_are_there_to_be_looked_at(
    browser: Browser, reports: dict[str, Path], screenshots: Path, name: str, kind: str
) -> None:
    page = browser.new_page(
        viewport=PHONE if kind == "phone" else DESK, color_scheme="dark" if kind == "dark" else "light"
    )
    page.goto(reports[name].as_uri())

    picture = page.screenshot(path=screenshots / f"{name}-{kind}.png", full_page=True)

    assert len(picture) > 50_000, "a blank page is smaller"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_failure_is_red_in_the_map(browser: Browser, reports: dict[str, Path], scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(reports["failures"].as_uri())

    bad, word, link, ground, pattern = page.evaluate(
        """() => {
          const style = (selector) => getComputedStyle(document.querySelector(selector));
          const cell = style(".map td.failed");
          const probe = document.body.appendChild(document.createElement("i"));
          probe.className = "bad";
          return [getComputedStyle(probe).color, style(".map td.failed b").color, style(".map td.failed b a").color,
            cell.backgroundColor, cell.backgroundImage];
        }"""
    )

    assert word == link == bad
    assert ground != "rgba(0, 0, 0, 0)"
    assert "gradient" in pattern
    page.close()


@pytest.mark.parametrize("name", ["sample", "several", "overview"])
def test_all_parts_of_a_page_are_in_sight_on_a_small_desktop(
    browser: Browser, all_pages: dict[str, Path], name: str
) -> None:
    page = browser.new_page(viewport=ViewportSize(width=1280, height=800))
    page.goto(all_pages[name].as_uri())

    entries = page.locator("nav li")
    bar = page.locator("nav").bounding_box()
    boxes = [entries.nth(index).bounding_box() for index in range(entries.count())]

    assert entries.first.inner_text() == "Choose"
    assert bar is not None
    for box in boxes:
        assert box is not None
        assert box["x"] + box["width"] <= 1280
        assert box["y"] + box["height"] <= bar["y"] + bar["height"]
    page.close()


def test_a_phone_shows_that_the_bar_has_more(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(reports["sample"].as_uri())

    wider, mask, shadow = page.locator("nav ul").evaluate(
        """bar => {
          const style = getComputedStyle(bar);
          return [bar.scrollWidth > bar.clientWidth, style.maskImage, style.backgroundImage];
        }"""
    )

    assert wider
    assert "gradient" in mask
    assert "gradient" in shadow
    page.close()


def test_a_cell_of_the_map_leads_to_a_row_that_is_marked_and_in_sight(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(reports["sample"].as_uri())

    page.locator(".map td.ok a").first.click()

    row = page.locator("tr:target")
    bar, box = page.locator("nav").bounding_box(), row.bounding_box()
    assert bar is not None
    assert box is not None
    assert box["y"] >= bar["y"] + bar["height"] + 50, "what stands above it is in sight as well"
    assert row.evaluate("row => getComputedStyle(row).outlineStyle") == "solid"
    page.close()


def test_the_form_of_the_chooser_keeps_a_distance_from_its_heading(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(reports["sample"].as_uri())

    head, form = page.locator("#choose-h").bounding_box(), page.locator("#chooser").bounding_box()

    assert head is not None
    assert form is not None
    assert form["y"] - head["y"] - head["height"] >= 8
    page.close()


def test_the_digest_of_an_image_stands_on_one_line(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page(viewport=ViewportSize(width=1280, height=800))
    page.goto(reports["sample"].as_uri())

    lines = page.locator("#provenance td .id").evaluate_all(
        "all => all.map(each => each.getClientRects().length)"
    )

    assert set(lines) == {1}
    page.close()
