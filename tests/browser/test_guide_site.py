"""The guide as a site: built strictly, and read from disk without the network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Witness
from tests.guide import ROOT

pytestmark = pytest.mark.browser

FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=\"([^\"]*)\"")


def build(docs: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` does."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(docs), str(folder / "site")]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    built = build(ROOT / "docs", folder)
    assert built.returncode == 0, built.stderr
    return folder / "site"


def test_make_docs_builds_as_this_does() -> None:
    assert "-m sphinx -q -W --keep-going docs " in (ROOT / "Makefile").read_text()


def test_what_leads_nowhere_and_what_nothing_leads_to_fails(tmp_path: Path) -> None:
    docs = shutil.copytree(ROOT / "docs", tmp_path / "docs")
    with (docs / "security.md").open("a") as page:
        page.write("\n[gone](gone.md) [gone too](running.md#gone-too)\n")
    (docs / "lost.md").write_text("# Lost\n")

    built = build(docs, tmp_path)

    assert built.returncode != 0
    for word in ("'gone.md'", "'gone-too'", "lost.md"):
        assert word in built.stderr


def test_every_page_fetches_only_what_stands_beside_it(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        for address in FETCHED.findall(page.read_text()):
            assert not address.startswith(("/", "http")), f"{page.name}: {address}"


@pytest.mark.parametrize("name", ["index", "tutorial", "reference/matrix", "contracts/results", "adr/README"])
def test_a_page_opens_from_disk_in_silence(browser: Browser, site: Path, name: str) -> None:
    page = browser.new_page()
    witness = Witness(page)

    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_load_state("networkidle")

    assert witness.said == []
    assert all(address.startswith("file:") for address in witness.asked)
    assert page.locator(".sidebar-tree a", has_text="Bringing a model").count()
    page.close()


def test_the_search_finds_a_page_without_a_server(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    witness = Witness(page)

    page.goto(f"{(site / 'search.html').as_uri()}?q=thrashing")
    page.locator("#search-results li a").first.wait_for()

    assert witness.said == []
    assert all(address.startswith("file:") for address in witness.asked)
    page.close()
