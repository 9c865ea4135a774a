"""What the steady phase costs in CPU time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Aspect, Column, against, axis_values, cap_mark, panel, table
from harness.report.charts import Bar, linear_scale
from harness.report.formats import UNKNOWN, number, percent, share, time_unit

if TYPE_CHECKING:
    from harness.report.aspects.common import Line, Table
    from harness.report.book import Book
    from harness.report.charts import Row
    from harness.report.grouping import Workload
    from harness.stats.cell import Measured

MS_PER_S: Final = 1e3
SPINNING: Final = (
    "CPU time over wall time of one call. With batch 1 a ratio well above 1 means that other threads were busy too, "
    "working or spinning. At calls of some microseconds the loop around the call adds some percent."
)


def cpu(book: Book, workload: Workload) -> Aspect:
    """The CPU section of a workload."""
    used = [each.stats.cpu_percent for each in workload.ok if each.stats.cpu_percent is not None]
    caps = {group.limit: 100 * group.limit.cpus for group in workload.groups}
    scale = linear_scale(axis_values(used, caps.values()))

    def draw(each: Measured) -> Row:
        used_share = each.stats.cpu_percent
        if used_share is None:
            return book.row(each)
        bar = Bar(0.0, scale.at(used_share))
        return book.row(each, f"{number(used_share)} %", bars=(bar,))

    axis = scale.axis("CPU use in the steady phase, percent of one core")
    marks = {limit: cap_mark(f"cap {cap:g} %", cap, scale) for limit, cap in caps.items()}
    return Aspect(
        slug="cpu",
        title="CPU",
        reading="A longer bar keeps more of the machine busy: 100 % is one core, counted by the kernel over all "
        "threads, and the upright line is the cap. What a call costs is its CPU time, in the table.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw, marks[group.limit]) for group in workload.groups),
        tables=(_table(book, workload),),
    )


def _table(book: Book, workload: Workload) -> Table:
    spent = [each.stats.cpu_ms_per_inference for each in workload.ok]
    unit = time_unit(milliseconds for milliseconds in spent if milliseconds is not None)
    columns = (
        Column("CPU time per call", lambda line: unit.number(line.stats.cpu_ms_per_inference), unit.name),
        against(book, lambda stats: stats.cpu_ms_per_inference),
        Column("CPU / wall", _spinning, hint=SPINNING),
        Column("cores used", lambda line: number(line.stats.cores_used)),
        Column("of the cap", _of_cap, hint="of the cores that it may use."),
        Column(
            "busy threads",
            lambda line: UNKNOWN if line.stats.busy_threads is None else str(line.stats.busy_threads),
            hint="those that computed for more than 5 % of the time, the most of any trial.",
        ),
        Column("in the kernel", lambda line: share(line.stats.system_share), hint="part of the CPU time."),
        Column(
            "throttled",
            _throttled,
            hint="share of the scheduler's periods in which a quota stopped it, and the time that its threads stood "
            "still for it, summed over them; a dash where no quota is set.",
        ),
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


def _throttled(line: Line) -> str:
    if line.stats.throttled_ms_per_s is None:
        return share(line.stats.throttled_fraction)
    return f"{share(line.stats.throttled_fraction)}\n{number(line.stats.throttled_ms_per_s)} ms/s"
