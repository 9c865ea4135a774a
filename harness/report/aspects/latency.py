"""The time of one call in the steady phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.intervals import value_of
from harness.report.aspects.common import Aspect, Column, against, panel, place, table
from harness.report.charts import Dot, log_scale
from harness.report.formats import UNKNOWN, number, time_unit
from harness.stats import SAMPLES_NEEDED

if TYPE_CHECKING:
    from harness.report.aspects.common import Book, Table
    from harness.report.charts import Row
    from harness.report.formats import TimeUnit
    from harness.report.grouping import Workload
    from harness.stats import Measured


def latency(book: Book, workload: Workload) -> Aspect:
    """The latency section of a workload."""
    found = [each.stats.p50_ms for each in workload.ok if each.stats.p50_ms]
    unit = time_unit(each.value for each in found)
    scale = log_scale([unit.of(each) for each in found])

    def draw(each: Measured) -> Row:
        if each.stats.p50_ms is None:
            return book.row(each)
        p50 = unit.of(each.stats.p50_ms)
        low, high = (None if bound is None else scale.at(bound) for bound in (p50.low, p50.high))
        return book.row(each, f"{number(p50.value)} {unit.name}", dot=Dot(scale.at(p50.value), low, high))

    axis = scale.axis(f"Median latency, {unit.name}, logarithmic")
    return Aspect(
        slug="latency",
        title="Latency",
        reading="Further left is faster, and equal steps multiply. The marker is the median call (p50), the line "
        "its 95 % interval over trials: where two lines overlap, the trials do not tell the two apart.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw) for group in workload.groups),
        table=_table(book, workload, unit),
        note=f"p90, p95 and p99 need {SAMPLES_NEEDED[90]}, {SAMPLES_NEEDED[95]} and {SAMPLES_NEEDED[99]} calls in "
        "every trial: one trial with fewer drops the figure.",
    )


def _table(book: Book, workload: Workload, unit: TimeUnit) -> Table:
    columns = (
        place(workload, lambda stats: stats.p50_ms),
        Column("p50", lambda line: unit.number(value_of(line.stats.p50_ms)), unit.name),
        Column("95 % interval", lambda line: unit.bounds(line.stats.p50_ms), unit.name),
        against(book, lambda stats: value_of(stats.p50_ms)),
        Column("p90", lambda line: unit.number(line.stats.p90_ms), unit.name),
        Column("p95", lambda line: unit.number(line.stats.p95_ms), unit.name),
        Column("p99", lambda line: unit.number(line.stats.p99_ms), unit.name),
        Column("throughput", lambda line: number(line.stats.throughput_per_s), "items/s"),
        Column(
            "calls",
            lambda line: UNKNOWN if line.stats.iterations is None else f"{line.stats.iterations:,}",
            hint="Timed calls over all trials.",
        ),
    )
    return table(book, workload, "Latency of one call", columns)
