"""What the report costs: page weight, time to render, and time until a reader can use it, by the number of cells.

    python -m tests.bench.report

Runs of 20, 1,000 and 10,000 cells with three trials each are made in a temporary folder and rendered as
`edgematrix report` does, and their pages are opened from disk in Chromium. A page can be used when its scripts have run
and it has been drawn.
"""

from __future__ import annotations

import gzip
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from harness.report import write_report
from tests.large_runs import write_large_run

SIZES = {20: (1, 4), 1_000: (10, 20), 10_000: (40, 50)}
"""Models and limits, by cells."""
TIMES = 5
"""A page is opened so often; the median counts."""
PAGES = ("index.html", "model-1.html", "cells.html")


def main() -> None:
    """Measure, and print a table."""
    table = Table(title=f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} before")
    for title in ("cells", "rendered in s", "page", "MB", "MB gzipped", "usable after s"):
        table.add_column(title, justify="left" if title == "page" else "right")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for cells, (models, limits) in SIZES.items():
            run = write_large_run(Path(folder) / str(cells), models=models, limits=limits)
            began = time.perf_counter()
            write_report(run)
            rendered = time.perf_counter() - began
            for page in (run / name for name in PAGES if (run / name).exists()):
                content = page.read_bytes()
                usable = statistics.median(usable_after(browser, page) for _ in range(TIMES))
                table.add_row(
                    f"{cells:,}", f"{rendered:.1f}", page.name, f"{len(content) / 1e6:.2f}",
                    f"{len(gzip.compress(content)) / 1e6:.2f}", f"{usable:.2f}",
                )  # fmt: skip
        browser.close()
    Console().print(table)


def usable_after(browser: Browser, path: Path) -> float:
    """Seconds from the address to a page that is drawn, with its scripts run."""
    page = browser.new_page()
    began = time.perf_counter()
    page.goto(path.as_uri())
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    elapsed = time.perf_counter() - began
    page.close()
    return elapsed


if __name__ == "__main__":
    main()
