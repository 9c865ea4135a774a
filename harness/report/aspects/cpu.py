"""What the steady phase costs in CPU time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.aspects.common import Aspect, Column, against, axis_values, cap_mark, panel, table
from harness.report.charts import Bar, linear_scale
from harness.report.formats import number, percent, time_unit

if TYPE_CHECKING:
    from harness.report.aspects.common import Book, Line, Table
    from harness.report.charts import Row
    from harness.report.grouping import Workload
    from harness.stats import Measured


def cpu(book: Book, workload: Workload) -> Aspect:
    """The CPU section of a workload."""
    used = [each.stats.cpu_percent for each in workload.ok if each.stats.cpu_percent is not None]
    caps = {group.limit: 100 * group.limit[0] for group in workload.groups}
    scale = linear_scale(axis_values(used, caps.values()))

    def draw(each: Measured) -> Row:
        share = each.stats.cpu_percent
        if share is None:
            return book.row(each)
        bar = Bar(0.0, scale.at(share))
        return book.row(each, f"{number(share)} %", bars=(bar,))

    axis = scale.axis("CPU use in the steady phase, percent of one core")
    marks = {limit: cap_mark(f"cap {cap:g} %", cap, scale) for limit, cap in caps.items()}
    return Aspect(
        slug="cpu",
        title="CPU",
        reading="A longer bar keeps more of the machine busy: 100 % is one core, counted by the kernel over all "
        "threads, and the upright line is the cap. What a call costs is its CPU time, in the table.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw, marks[group.limit]) for group in workload.groups),
        table=_table(book, workload),
    )


def _table(book: Book, workload: Workload) -> Table:
    spent = [each.stats.cpu_ms_per_inference for each in workload.ok]
    unit = time_unit(milliseconds for milliseconds in spent if milliseconds is not None)

    def of_cap(line: Line) -> str:
        share = line.stats.cpu_percent
        return percent(None if share is None else share / 100 / line.limit[0])

    columns = (
        Column("CPU use", lambda line: number(line.stats.cpu_percent), "%", "100 % is one core."),
        Column("of the cap", of_cap),
        against(book, lambda stats: stats.cpu_percent),
        Column("CPU time per call", lambda line: unit.number(line.stats.cpu_ms_per_inference), unit.name),
        against(book, lambda stats: stats.cpu_ms_per_inference),
        Column(
            "throttled",
            lambda line: percent(line.stats.throttled_fraction),
            hint="Share of the scheduler's periods; a dash where no quota is set.",
        ),
    )
    return table(book, workload, "CPU use in the steady phase", columns)
