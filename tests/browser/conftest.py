"""Debian's Chromium, driven by Playwright; a missing browser fails the tests."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from harness.report import write_report
from tests.replays import sittings, write_replay
from tests.sample_runs import failures, noisy, noisy_probes, sample, write_run

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "Chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample runs' pages, by name."""
    folder = tmp_path_factory.mktemp("reports")
    runs = {"sample": (*sample(), ()), "failures": (*failures(), ()), "noisy": (*noisy(), noisy_probes())}
    pages = {name: write_report(write_run(folder / name, *made)) for name, made in runs.items()}
    replay = write_run(folder / "article", *sample())
    write_replay(replay, sittings())
    article = write_report(replay).with_name("article.html")
    cell = pages["failures"].parent / "cells" / "jax.spam-fnn.c1.m256m.b1.html"
    return pages | {"article": article, "cell": cell}


@pytest.fixture(scope="session")
def screenshots(pytestconfig: pytest.Config) -> Path:
    """Where to find the pictures afterwards: `.pytest_cache/d/screenshots/`."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("screenshots")


@dataclass
class Witness:
    """What a page did while it was open."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        self.said.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)
