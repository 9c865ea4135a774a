"""Debian's Chromium, driven by Playwright; a missing browser fails the tests."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from harness.compare import compare_runs
from harness.compare.page import render
from harness.report import write_report
from tests.compared import failed
from tests.factories import host
from tests.large_runs import write_large_run
from tests.published import CELLS, OTHER_HOST, measured, published, run_id, write_day
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


@dataclass(frozen=True)
class LargeRun:
    """A run too large for one page: five frameworks under 50 limits by so many models."""

    models: int
    page: Path


@pytest.fixture(
    scope="session",
    params=[pytest.param(4, id="1,000"), pytest.param(40, id="10,000", marks=pytest.mark.prove)],
)
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LargeRun:
    """A run of thousands of cells."""
    folder = tmp_path_factory.mktemp("large") / "run"
    return LargeRun(request.param, write_report(write_large_run(folder, models=request.param, limits=50)))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two matrices on one host and one on another; jax slower on one day, pytorch dead on another."""
    reports = tmp_path_factory.mktemp("site") / "reports"
    for number in range(18):
        write_day(reports, number, cells=CELLS[1:2])
    for number, how in enumerate(({}, {}, {"jax": 2.0}, {"jax": 2.0}), start=20):
        write_day(reports, number, slower=how)
    write_day(reports, 24, results=[failed(CELLS[0]), *(measured(of, 24) for of in CELLS[1:])])
    of, cells = sample()
    write_day(reports, 25, results=cells, devices=of.devices, with_report=True)
    write_day(reports, 26, host=OTHER_HOST)
    return published(reports).page.parent


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Path]:
    """One page of each kind."""
    alone = site.parent.parent / "compared.html"
    base, new = (site / "runs" / run_id(number) for number in (23, 24))
    alone.write_text(render(compare_runs(base, new)))
    return {
        "index": site / "index.html",
        "host": site / "hosts" / host().fingerprint / "index.html",
        "compared": site / "compare" / f"{run_id(21)}..{run_id(22)}" / "index.html",
        "folder": site / "runs" / run_id(25) / "cells" / "index.html",
        "run": site / "runs" / run_id(25) / "index.html",
        "alone": alone,
    }


@pytest.fixture(scope="session")
def all_pages(
    reports: dict[str, Path], pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A page of every kind there is, by name; the kinds of a large run with few cells, as axe looks at each of them."""
    run = write_large_run(tmp_path_factory.mktemp("chapters") / "run", models=3, limits=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.report.ONE_PAGE", 50)
        overview = write_report(run)
    names = {"overview": "index.html", "cells": "cells.html", "model": "model-1.html"}
    of_site = {f"site-{name}": page for name, page in pages.items()}
    several = write_large_run(tmp_path_factory.mktemp("several") / "run", models=3, limits=4)
    of_site["several"] = write_report(several)
    return reports | of_site | {name: overview.with_name(file) for name, file in names.items()}


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
