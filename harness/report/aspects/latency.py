"""The time of one call in the steady phase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Aspect, Column, against, panel, place, table
from harness.report.charts import Dot, log_scale
from harness.report.formats import UNKNOWN, duration, number, rounded, share, time_unit
from harness.report.grouping import limit_of
from harness.results import StoppedBy
from harness.stats.intervals import value_of
from harness.stats.noise import Aim
from harness.stats.samples import SAMPLES_NEEDED

if TYPE_CHECKING:
    from harness.report.aspects.common import Line, Table
    from harness.report.book import Book
    from harness.report.charts import Row
    from harness.report.formats import TimeUnit
    from harness.report.grouping import Workload
    from harness.stats.cell import Measured

STOPPED: Final = {
    StoppedBy.PRECISION: "precise enough",
    StoppedBy.TRIALS: "all trials run",
    StoppedBy.TIME: "time spent",
}
TIMER_MATTERS_MS: Final = 1.0
"""Below a millisecond the clock is worth a word."""


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
        "its 95 % interval over trials.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw) for group in workload.groups),
        tables=(_medians(book, workload, unit), _tails(book, workload, unit)),
        note=timer_note(book, workload)
        + f"p90, p95 and p99 need {SAMPLES_NEEDED[90]}, {SAMPLES_NEEDED[95]} and {SAMPLES_NEEDED[99]} calls in "
        "every trial: one trial with fewer drops the figure.",
    )


def timer_note(book: Book, workload: Workload) -> str:
    """What the clock itself takes, where calls are so short that it matters; empty where they are not."""
    timer = book.timer(workload.key)
    fastest = min(
        (each.stats.p50_ms.value for each in workload.ok if each.stats.p50_ms is not None), default=None
    )
    if timer is None or timer.stats.p50_ms is None or fastest is None or fastest >= TIMER_MATTERS_MS:
        return ""
    floor = timer.stats.p50_ms.value
    return (
        f"The timer's floor is {duration(floor)}: the p50 of a framework that computes nothing, measured as the "
        f"others are ({limit_of(timer).title}). It is in every figure, and {share(floor / fastest)} of the fastest "
        "cell's. "
    )


def _medians(book: Book, workload: Workload, unit: TimeUnit) -> Table:
    columns = (
        place(book, workload, Aim.LATENCY),
        Column("p50", lambda line: unit.number(value_of(line.stats.p50_ms)), unit.name),
        Column("95 % interval", lambda line: unit.bounds(line.stats.p50_ms), unit.name),
        against(book, lambda stats: value_of(stats.p50_ms)),
        Column(
            "core p50",
            lambda line: unit.number(value_of(line.stats.core_p50_ms)),
            unit.name,
            "the same call on the framework's own tensors, bound beforehand; where binding costs more than it "
            "saves, it is the slower one.",
        ),
        Column("throughput", lambda line: rounded(line.stats.throughput_per_s), "items/s"),
        Column(
            "of peak",
            lambda line: share(line.stats.peak_share),
            hint="multiply-adds a second, of what the reference probe's matrix product reached on the same CPUs.",
        ),
    )
    return table(book, workload, "Latency of one call", columns)


def _tails(book: Book, workload: Workload, unit: TimeUnit) -> Table:
    columns = (
        Column("p90", lambda line: unit.with_bounds(line.stats.p90_ms), unit.name),
        Column("p95", lambda line: unit.with_bounds(line.stats.p95_ms), unit.name),
        Column("p99", lambda line: unit.with_bounds(line.stats.p99_ms), unit.name),
        Column(
            "outliers",
            _outliers,
            "mild / severe",
            "calls beyond Tukey's fences, 1.5 and 3 interquartile ranges from the quartiles of their trial: classed, "
            "not dropped.",
        ),
        Column(
            "calls", lambda line: UNKNOWN if line.stats.iterations is None else f"{line.stats.iterations:,}"
        ),
        Column("trials", lambda line: str(line.stats.trials)),
        Column(
            "precision",
            _precision,
            hint="half the width of the p50's interval, on its wider side, over the p50.",
        ),
        Column(
            "stopped",
            lambda line: STOPPED[line.own.result.stopped_by] if line.own.result.stopped_by else UNKNOWN,
            hint="why no more trials were spent.",
        ),
    )
    return table(book, workload, "Slow calls, and how precisely the median is known", columns)


def _outliers(line: Line) -> str:
    found = line.stats.outliers
    if found is None or not found.total:
        return UNKNOWN
    return f"{share(found.mild / found.total)} / {share(found.severe / found.total)}"


def _precision(line: Line) -> str:
    precision = line.stats.precision
    return UNKNOWN if precision is None else f"± {share(precision)}"
