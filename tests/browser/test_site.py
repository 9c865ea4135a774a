"""The site in a real browser: from disk, and under an address of its own."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response, ViewportSize

from harness.report.palette import PAPER_DARK, PAPER_LIGHT
from harness.site.index import UNFOLDED
from tests.browser.conftest import Witness
from tests.browser.test_report import DESK, PHONE, background, rgb
from tests.factories import host
from tests.published import run_id

pytestmark = pytest.mark.browser

KINDS = ["index", "host", "compared", "folder", "run", "alone"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_kind_of_page_opens_from_disk_in_silence(
    browser: Browser, pages: dict[str, Path], screenshots: Path, kind: str, scheme: str
) -> None:
    page = browser.new_page(viewport=DESK, color_scheme="dark" if scheme == "dark" else "light")
    witness = Witness(page)

    page.goto(pages[kind].as_uri())
    page.wait_for_load_state("networkidle")

    assert witness.said == []
    assert [url for url in witness.asked if not url.startswith("data:")] == [pages[kind].as_uri()]
    assert background(page) == rgb(PAPER_DARK if scheme == "dark" else PAPER_LIGHT)
    page.screenshot(path=screenshots / f"site-{kind}-{scheme}.png", full_page=True)
    page.close()


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_leads_to_a_file(browser: Browser, pages: dict[str, Path], kind: str) -> None:
    page = browser.new_page()
    page.goto(pages[kind].as_uri())
    here = pages[kind].as_uri()

    found = page.locator("a").evaluate_all(
        "(all, here) => all.map(each => new URL(each.getAttribute('href'), here).pathname)", here
    )

    assert found or kind == "alone"
    assert [path for path in set(found) if not Path(path).is_file()] == []
    page.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [320, 360, 768, 1440])
def test_only_tables_scroll_sideways(browser: Browser, pages: dict[str, Path], kind: str, width: int) -> None:
    page = browser.new_page(viewport=ViewportSize(width=width, height=900))
    page.goto(pages[kind].as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("kind", ["index", "host", "compared", "alone"])
def test_no_table_is_cut_off_on_a_small_desktop(browser: Browser, pages: dict[str, Path], kind: str) -> None:
    page = browser.new_page(viewport=ViewportSize(width=1280, height=900))
    page.goto(pages[kind].as_uri())
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    cut = page.locator(".scroll").evaluate_all(
        "all => all.filter(each => each.scrollWidth > each.clientWidth).map(each => each.ariaLabel)"
    )
    assert cut == []
    page.close()


@pytest.mark.parametrize("kind", ["index", "host", "compared"])
def test_all_of_it_is_there_without_javascript(
    browser: Browser, pages: dict[str, Path], screenshots: Path, kind: str
) -> None:
    page = browser.new_page(java_script_enabled=False, viewport=PHONE)
    page.goto(pages[kind].as_uri())
    page.screenshot(path=screenshots / f"site-{kind}-phone.png", full_page=True)
    text = page.locator("main").inner_text()
    match kind:
        case "index":
            assert "onnxruntime at 4 of 4 limits" in text
            assert "1 worse" in text
            assert page.locator("details tbody tr").count() == 24 - UNFOLDED
        case "host":
            assert page.locator("svg[role]").count() == page.locator("figure").count() == 20
            events = page.locator("#changed tbody td:nth-child(2)").all_inner_texts()
            assert [event.split()[0] for event in events] == ["fixed", "failed", "better", "worse"]
        case _:
            assert "worse: 1 cell" in text
            assert page.locator("svg.ratio.worse").count() == 1
    page.close()


def test_a_run_leads_back_to_the_site(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(pages["run"].as_uri())

    page.get_by_role("link", name="All published runs").click()

    assert page.url == pages["index"].as_uri()
    page.close()


def test_a_sign_leads_to_the_comparison_that_set_it(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(pages["host"].as_uri())
    page.locator(f"svg a[href*='..{run_id(22)}/']").click()
    assert page.url == pages["compared"].as_uri()
    assert page.locator("h1").inner_text() == "1 of 3 cells became worse or failed"
    page.close()


@pytest.fixture
def base_url(site: Path) -> Iterator[str]:
    """The site below an address that it does not know."""
    handler = functools.partial(Silent, directory=str(site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/site/"
        server.shutdown()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_it_works_under_any_address(browser: Browser, base_url: str) -> None:
    page = browser.new_page(viewport=DESK)
    witness = Witness(page)
    failures: list[str] = []

    def look(response: Response) -> None:
        if response.status >= 400:
            failures.append(response.url)

    page.on("response", look)
    page.goto(base_url)
    page.locator(f"a[href^='hosts/{host().fingerprint}']").click()
    page.locator("a[href*='/runs/']").first.click()
    page.go_back()
    page.get_by_role("link", name="all published runs").click()
    page.locator("a.worse").first.click()
    page.get_by_role("link", name="all published runs").click()
    page.get_by_role("link", name="each run has its own").click()

    assert page.url == f"{base_url}badges/index.html"
    assert (witness.said, failures) == ([], [])
    page.close()
