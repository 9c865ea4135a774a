"""Charts saved as pictures: they stand alone, with the colours and fonts that the reader saw."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page

from harness.report.palette import DARK, LIGHT, PAPER_DARK, PAPER_LIGHT
from tests.browser.conftest import Witness

pytestmark = pytest.mark.browser

SVG = "{http://www.w3.org/2000/svg}"


def saved(page: Page, kind: str, number: int = 0) -> tuple[str, bytes]:
    """Name and content of a chart that is saved."""
    chart = page.locator("figure", has=page.locator("svg[role=img]")).nth(number)
    chart.hover()
    with page.expect_download() as download:
        chart.get_by_role("button", name=f"Save as {kind}").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize(
    ("scheme", "colours", "paper"), [("light", LIGHT, PAPER_LIGHT), ("dark", DARK, PAPER_DARK)]
)
def test_an_svg_stands_alone_in_the_colours_that_were_seen(
    browser: Browser, reports: dict[str, Path], scheme: str, colours: tuple[str, ...], paper: str
) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    witness = Witness(page)
    page.goto(reports["sample"].as_uri())

    name, content = saved(page, "SVG")

    root = ET.fromstring(content)
    text = content.decode()
    assert name == "w1-latency-1-core-512-mib.svg"
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}rect").get("fill") == rgb(paper)  # type: ignore[union-attr]
    assert rgb(colours[3]) in text
    assert "var(" not in text
    assert "class=" not in text
    used = {use.get("href") for use in root.iter(f"{SVG}use")}
    assert used <= {f"#{each.get('id')}" for each in root.iter() if each.get("id")}
    words = [each.text for each in root.iter(f"{SVG}text")]
    assert "1 core, 512 MiB" in words
    assert "onnxruntime" in words
    assert all(each.get("font-family") for each in root.iter(f"{SVG}text"))
    assert [said for said in witness.said if "Content Security" in said] == []
    page.close()


def test_a_png_has_the_same_picture_at_twice_its_size(browser: Browser, reports: dict[str, Path]) -> None:
    page = browser.new_page()
    witness = Witness(page)
    page.goto(reports["sample"].as_uri())
    _, drawing = saved(page, "SVG")

    name, content = saved(page, "PNG")

    assert name.endswith(".png")
    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[start : start + 4]) for start in (16, 20))
    root = ET.fromstring(drawing)
    assert (width, height) == (2 * int(root.get("width", 0)), 2 * int(root.get("height", 0)))
    assert len(content) > 5000, "a blank picture is smaller"
    assert witness.said == []
    page.close()


@pytest.mark.parametrize("name", ["sample", "noisy", "article"])
def test_every_chart_can_be_saved_and_each_has_its_own_name(
    browser: Browser, reports: dict[str, Path], name: str
) -> None:
    page = browser.new_page()
    page.goto(reports[name].as_uri())

    charts = page.locator("figure svg[role=img]").count()
    labels = page.locator(".save button").evaluate_all("all => all.map(each => each.ariaLabel)")

    assert charts > 0
    assert len(labels) == 2 * charts
    assert all(re.match(r"Save as (SVG|PNG): .+", label) for label in labels)
    page.close()


def test_a_saved_chart_looks_like_the_chart(
    browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(reports["sample"].as_uri())
    shown = page.locator("figure svg[role=img]").first.evaluate(
        "chart => [...chart.querySelectorAll('text')].map(each => each.getBoundingClientRect().width)"
    )
    _, content = saved(page, "SVG")
    (tmp_path / "chart.svg").write_bytes(content)

    page.goto((tmp_path / "chart.svg").as_uri())

    drawn = page.evaluate(
        "[...document.querySelectorAll('svg svg > text, svg svg > g text')].map(e => e.getBoundingClientRect().width)"
    )
    assert drawn == pytest.approx(shown, abs=1)
    page.close()


@pytest.mark.parametrize(
    "section", ["w1-start", "w1-percentiles", "w1-frontier", "w1-breakeven", "w1-scaling"]
)
def test_a_saved_chart_has_its_key_and_says_what_it_is_of(
    browser: Browser, reports: dict[str, Path], section: str
) -> None:
    page = browser.new_page()
    page.goto(reports["sample"].as_uri())
    number = page.locator("figure svg[role=img]").evaluate_all(
        "(all, section) => all.findIndex(each => each.closest('section').id === section)", section
    )
    key = page.locator(f"#{section} > .key > li").all_inner_texts()

    _, content = saved(page, "SVG", number)

    root = ET.fromstring(content)
    words = [each.text for each in root.iter(f"{SVG}text")]
    title = page.locator(f"#{section}-h").inner_text()
    assert words[0] == f"{title} · spam-fnn, batch 1"
    assert set(key) <= set(words)
    assert len(key) >= 4
    assert page.locator(".brand .id").inner_text() in words
    ground = root.find(f"{SVG}rect").get("fill")  # type: ignore[union-attr]
    samples = [entry[0].get("fill") for entry in root.findall(f"{SVG}g/{SVG}g/{SVG}g")]
    assert len(set(samples) - {ground}) == len(key)
    page.close()
