"""What the site tells of a published run, without its trials: a site has many runs, and memory holds few of them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.answers import answers, headlines
from harness.report.book import Book, is_control
from harness.report.digest import MOST_NAMED, counts_text, lead_text
from harness.report.endings import ending
from harness.report.formats import NAME_LIMIT, clip
from harness.report.grouping import limit_of, workloads
from harness.report.proof import badge, tally
from harness.report.table import results_frame
from harness.results import Status
from harness.units import counted, format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from harness.compare.judge import Side
    from harness.report.answers import Headline
    from harness.report.endings import Ending
    from harness.report.grouping import Limit
    from harness.report.proof import Badge
    from harness.results import Workload
    from harness.runs import Run
    from harness.stats.cell import Measured
    from harness.stats.intervals import Estimate

COLUMNS: Final = (
    "cell_id", "framework", "model", "cpus", "memory_bytes", "batch", "status",
    "p50_ms", "p50_low_ms", "p50_high_ms", "rss_peak_bytes", "cold_start_ms",
)  # fmt: skip
"""Of `results.csv`: what the history keeps of a cell."""
SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""A name that is a part of an address as it stands."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One cell in one run."""

    framework: str
    workload: Workload
    limit: Limit
    ending: Ending
    p50: Estimate | None
    """`None` also where the cell is not ok."""
    rss: Estimate | None
    start: Estimate | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A published run."""

    run_id: str
    """The name of its folder."""
    run: Run
    fastest: tuple[str, ...]
    """Who is, in a line for each workload."""
    counts: Mapping[Status, int]
    """Controls left out, as in everything here."""
    expected: bool
    """Every cell ended as it should."""
    limits: Badge
    points: Mapping[str, Point]
    """By cell id."""
    table: pd.DataFrame
    """Its rows of the history."""

    @property
    def group(self) -> str:
        """Which host it ran on, as a part of an address."""
        return slug(self.run.host.fingerprint)

    @property
    def machine(self) -> tuple[str, str]:
        """The processor, and the rest of what makes hosts alike."""
        host = self.run.host
        parts = (
            counted(host.physical_cores, "core"),
            format_memory(host.memory_bytes),
            clip(host.architecture, NAME_LIMIT),
            f"kernel {clip(host.kernel, NAME_LIMIT)}",
            f"cgroup v{host.cgroup_version}",
            f"Docker {clip(host.engine_version, NAME_LIMIT)}",
            f"fingerprint {clip(host.fingerprint, NAME_LIMIT)}",
        )
        return clip(host.cpu_model, NAME_LIMIT), ", ".join(parts)

    @property
    def total(self) -> str:
        """`20 cells: 19 ok, 1 out of memory`."""
        return f"{counted(sum(self.counts.values()), 'cell')}: {counts_text(self.counts)}"


def by_host(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The runs of each host, in their order."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    return groups


def describe(run_id: str, side: Side) -> Entry:
    """Keep of a run what the site tells of it."""
    measured = [each for each in side.cells if not is_control(each)]
    found = workloads(side.run, measured)
    book = Book.of(side.run, side.cells)
    leads = [(work.title, headlines(answers(book, work))[0]) for work in found]
    counts = Counter(each.result.status for each in measured)
    frame = results_frame(measured)[list(COLUMNS)]
    frame.insert(0, "run_id", run_id)
    frame.insert(1, "started_at", side.run.started_at.isoformat())
    frame.insert(2, "host_group", slug(side.run.host.fingerprint))
    return Entry(
        run_id=run_id,
        run=side.run,
        fastest=lead_lines(leads),
        counts={status: counts[status] for status in Status if counts[status]},
        expected=all(each.result.as_expected for each in measured),
        limits=badge(tally(found)),
        points={each.result.cell_id: _point(each) for each in measured},
        table=frame,
    )


def lead_lines(leads: list[tuple[str, Headline]]) -> tuple[str, ...]:
    """Who is first, of each workload; those beyond the first few are counted."""
    lines = [f"{title}: {lead_text(headline)}" for title, headline in leads[:MOST_NAMED]]
    rest = len(leads) - MOST_NAMED
    return (*lines, *([f"and {counted(rest, 'workload')} more"] if rest > 0 else []))


def slug(text: str) -> str:
    """A text as a part of an address: itself where it is one, else a hash."""
    return text if SAFE_NAME.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()[:16]


def _point(measured: Measured) -> Point:
    cell, stats = measured.result.cell, measured.stats
    return Point(
        framework=cell.framework,
        workload=cell.workload,
        limit=limit_of(measured),
        ending=ending(measured.result),
        p50=stats.p50_ms if measured.ok else None,
        rss=stats.rss_peak_bytes if measured.ok else None,
        start=stats.cold_start_ms if measured.ok else None,
    )
