"""The largest memory that a cell held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import (
    Aspect,
    Column,
    against,
    axis_values,
    cap_mark,
    panel,
    place,
    table,
)
from harness.report.charts import Bar, linear_scale
from harness.report.formats import AT_CAP, UNKNOWN, mebibytes, number, percent
from harness.stats.intervals import value_of
from harness.stats.noise import Aim
from harness.units import MIB, format_memory

if TYPE_CHECKING:
    from harness.report.aspects.common import Line, Table
    from harness.report.book import Book
    from harness.report.charts import Row
    from harness.report.grouping import Workload
    from harness.stats.cell import Measured

CAP_MARK: Final = "†"
HEADLINE: Final = (
    "The resident peak (VmHWM) is the headline: what the process itself held, whatever was cached before."
)


def memory(book: Book, workload: Workload) -> Aspect:
    """The memory section of a workload."""
    workload = workload.by(lambda stats: value_of(stats.rss_peak_bytes))
    peaks = [each.stats.rss_peak_bytes.value / MIB for each in workload.ok if each.stats.rss_peak_bytes]
    caps = {group.limit: group.limit.memory_bytes / MIB for group in workload.groups}
    scale = linear_scale(axis_values(peaks, caps.values()))

    def draw(each: Measured) -> Row:
        peak = each.stats.rss_peak_bytes
        if peak is None:
            return book.row(each)
        bar = Bar(0.0, scale.at(peak.value / MIB))
        mark = f", {AT_CAP}" if each.stats.at_cap else ""
        return book.row(each, f"{mebibytes(peak.value)} MiB{mark}", bars=(bar,))

    axis = scale.axis("Peak resident memory, MiB")
    marks = {
        limit: cap_mark(f"cap {format_memory(limit.memory_bytes)}", cap, scale) for limit, cap in caps.items()
    }
    return Aspect(
        slug="memory",
        title="Memory",
        reading="Shorter is leaner. The bar is the largest resident size of the process in any phase of any "
        "trial (VmHWM); the upright line is the cap.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw, marks[group.limit]) for group in workload.groups),
        tables=(_table(book, workload),),
        note=f"{HEADLINE} "
        f"{CAP_MARK} at the cap: the cgroup filled its cap, so the kernel took file pages back, and the resident peak "
        "is what that left, not what the framework would hold with room. Anonymous memory is the part of it that "
        "cannot be read back from disk. The cgroup's peak also counts page cache and the supervisor, never falls, "
        "and equals the cap once cache has filled it: it is no measure of need.",
    )


def _table(book: Book, workload: Workload) -> Table:
    def spread(line: Line) -> str:
        peak = line.stats.rss_peak_bytes
        return UNKNOWN if not peak or peak.low is None else f"{mebibytes(peak.low)} to {mebibytes(peak.high)}"

    def of_cap(line: Line) -> str:
        peak = line.stats.rss_peak_bytes
        return percent(peak.value / line.limit.memory_bytes if peak else None)

    def peak(line: Line) -> str:
        return mebibytes(value_of(line.stats.rss_peak_bytes)) + (f" {CAP_MARK}" if line.stats.at_cap else "")

    columns = (
        place(book, workload, Aim.MEMORY),
        Column("resident peak", peak, "MiB"),
        Column("over trials", spread, "MiB", "smallest and largest trial."),
        Column("of the cap", of_cap),
        against(book, lambda stats: value_of(stats.rss_peak_bytes)),
        Column("anonymous", lambda line: mebibytes(line.stats.anon_peak_bytes), "MiB"),
        Column(
            "cgroup peak",
            lambda line: mebibytes(line.stats.cgroup_peak_bytes),
            "MiB",
            "with page cache and supervisor; secondary.",
        ),
        Column(
            "growth",
            lambda line: number(line.stats.growth_bytes_per_call),
            "B/call",
            "slope of the anonymous memory over the steady phase (Theil and Sen), median over trials. It is noise "
            "around zero unless the cell is tagged: memory grows.",
        ),
    )
    return table(book, workload, "Peak memory", columns, Aim.MEMORY)
