"""The way from a published run's pages back to the site: a report that is not published has nowhere to lead back to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.report import PAGE
from harness.site.folders import COMPARE, HOSTS, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.site.changes import Change
    from harness.site.entry import Entry

NAVIGATION: Final = b'<nav aria-label="Parts of this page"><div class="bar"><ul>\n'
"""Where the entries of a page's navigation begin. Text of a run is escaped, and so cannot look like it."""
OURS: Final = re.compile(rb"<li data-site>.*\n")
"""What an earlier publish has added: a run's comparison is another one when a run comes between."""


def lead_back(site: Path, run_id: str, entry: Entry | None, change: Change | None) -> None:
    """Lead from all pages of a run to the site's.

    Args:
        site: the new site.
        run_id: the run's folder.
        entry: what the site tells of it; `None` where it cannot be read.
        change: the run against the one before; `None` where there is none.
    """
    ways = tuple(_ways(entry, change))
    for page in sorted((site / RUNS / run_id).rglob("*.html")):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        entries = "".join(
            f'<li data-site><a href="{up}{address}">{text}</a></li>\n' for address, text in ways
        )
        bare = OURS.sub(b"", page.read_bytes())
        page.write_bytes(bare.replace(NAVIGATION, NAVIGATION + entries.encode(), 1))


def _ways(entry: Entry | None, change: Change | None) -> Iterator[tuple[str, str]]:
    yield PAGE, "All published runs"
    if entry is not None:
        yield f"{HOSTS}/{entry.group}/{PAGE}", "History"
    if change is not None and change.folder:
        yield f"{COMPARE}/{change.folder}/{PAGE}", "Against the run before"
