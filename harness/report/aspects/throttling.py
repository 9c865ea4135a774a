"""What a CPU quota stopped, and what that cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Aspect, Column, panel, table
from harness.report.charts import Bar, linear_scale
from harness.report.formats import UNKNOWN, number, share, time_unit, times
from harness.results import CpuMode
from harness.stats.differences import paired_difference
from harness.stats.intervals import value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.report.aspects.common import Line, Table
    from harness.report.book import Book
    from harness.report.charts import Row
    from harness.report.formats import TimeUnit
    from harness.report.grouping import Workload
    from harness.stats.cell import Measured

WHOLE: Final = 100.0
"""Percent."""


def throttling(book: Book, workload: Workload) -> Aspect | None:
    """The throttling section of a workload; `None` where no cell had a quota and a figure of it."""
    limits = tuple(group for group in workload.groups if group.limit.cpu_mode is CpuMode.QUOTA)
    quotas = replace(workload, groups=limits).by(lambda stats: stats.throttled_fraction)
    if all(each.stats.throttled_fraction is None for each in quotas.ok):
        return None
    unit = time_unit(each.stats.p50_ms.value for each in quotas.ok if each.stats.p50_ms)
    scale = linear_scale((WHOLE,))

    def draw(each: Measured) -> Row:
        stopped = each.stats.throttled_fraction
        if stopped is None:
            return book.row(each)
        return book.row(each, share(stopped), bars=(Bar(0.0, scale.at(WHOLE * stopped)),))

    axis = scale.axis("Throttled, percent of the scheduler's periods")
    return Aspect(
        slug="throttling",
        title="Throttling",
        reading="Shorter is stopped less often: the share of the scheduler's periods in which a framework had used "
        "up its quota and stood still until the next. More threads than the quota has CPUs use it up sooner, all of "
        "them at once.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw) for group in quotas.groups),
        tables=(_table(book, quotas, workload, unit),),
    )


def _table(book: Book, quotas: Workload, workload: Workload, unit: TimeUnit) -> Table:
    columns = (
        Column("throttled", lambda line: share(line.stats.throttled_fraction), "of periods"),
        Column(
            "stood still",
            lambda line: number(line.stats.throttled_ms_per_s),
            "ms/s",
            "in each second, summed over the CPUs on which its threads had to wait.",
        ),
        Column("p50", lambda line: unit.number(value_of(line.stats.p50_ms)), unit.name),
        Column(
            "against whole cores",
            _against_whole_cores(workload),
            hint="the median call over that of the same framework on as many whole cores, with as much memory and as "
            "many threads told, and its 95 % interval over rounds; a dash where the matrix has no such cell.",
        ),
    )
    return table(book, quotas, "Stopped by the quota", columns)


def _against_whole_cores(workload: Workload) -> Callable[[Line], str]:
    def text(line: Line) -> str:
        beside = workload.on_whole_cores(line.limit)
        other = beside.of(line.own.result.cell.framework) if beside else None
        found = paired_difference(other.stats.medians_ms, line.stats.medians_ms) if other else None
        if found is None:
            return UNKNOWN
        return times(found.ratio, *found.interval())

    return text
