"""What the steady phase costs in CPU time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Aspect, Column, against, panel, table
from harness.report.charts import Bar, linear_scale
from harness.report.formats import UNKNOWN, number, percent, share, time_unit
from harness.units import MS_PER_S

if TYPE_CHECKING:
    from harness.report.aspects.common import Line, Table
    from harness.report.book import Book
    from harness.report.charts import Row
    from harness.report.formats import TimeUnit
    from harness.report.grouping import Workload
    from harness.stats.cell import Measured

SPINNING: Final = (
    "CPU time over wall time of one call. With batch 1 a ratio well above 1 means that other threads were busy too, "
    "working or spinning. At calls of some microseconds the loop around the call adds some percent."
)


def cpu(book: Book, workload: Workload) -> Aspect:
    """The CPU section of a workload."""
    workload = workload.by(lambda stats: stats.cpu_ms_per_inference)
    unit = time_unit(_costs_ms(workload))
    scale = linear_scale(cost * unit.per_ms for cost in _costs_ms(workload))

    def draw(each: Measured) -> Row:
        cost = each.stats.cpu_ms_per_inference
        if cost is None:
            return book.row(each)
        bar = Bar(0.0, scale.at(cost * unit.per_ms))
        return book.row(each, f"{unit.number(cost)} {unit.name}", bars=(bar,))

    axis = scale.axis(f"CPU time of one call, {unit.name}")
    return Aspect(
        slug="cpu",
        title="CPU",
        reading="Shorter costs less: the time that a call keeps cores busy, counted by the kernel over all "
        "threads. It is what a machine that is always busy pays for, and what a battery does; a framework may be "
        "fast and still cost much, because it works or waits on several cores at once.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw) for group in workload.groups),
        tables=(_table(book, workload, unit),),
    )


def _costs_ms(workload: Workload) -> list[float]:
    costs = (each.stats.cpu_ms_per_inference for each in workload.ok)
    return [cost for cost in costs if cost is not None]


def _table(book: Book, workload: Workload, unit: TimeUnit) -> Table:
    columns = (
        Column("CPU time per call", lambda line: unit.number(line.stats.cpu_ms_per_inference), unit.name),
        against(book, lambda stats: stats.cpu_ms_per_inference),
        Column("CPU / wall", _spinning, hint=SPINNING),
        Column("cores used", lambda line: number(line.stats.cores_used)),
        Column("of the cap", _of_cap, hint="of the cores that it may use."),
        Column(
            "busy threads",
            lambda line: UNKNOWN if line.stats.busy_threads is None else str(line.stats.busy_threads),
            hint="those with more than 5 % of the busiest one's CPU time, the most of any trial.",
        ),
        Column("in the kernel", lambda line: share(line.stats.system_share), hint="part of the CPU time."),
    )
    return table(book, workload, "CPU time in the steady phase", columns)


def _spinning(line: Line) -> str:
    stats = line.stats
    if stats.cpu_ms_per_inference is None or not stats.throughput_per_s:
        return UNKNOWN
    wall_ms = line.own.result.cell.batch / stats.throughput_per_s * MS_PER_S
    return number(stats.cpu_ms_per_inference / wall_ms)


def _of_cap(line: Line) -> str:
    used = line.stats.cores_used
    return percent(None if used is None else used / line.limit.cpus)
