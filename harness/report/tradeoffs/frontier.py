"""Latency against memory: who is proved worse in both, and who is on the Pareto frontier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Column, table
from harness.report.aspects.memory import CAP_MARK
from harness.report.charts import linear_scale, log_scale
from harness.report.formats import UNKNOWN, duration, listed, mebibytes, time_unit
from harness.report.plots import Curve, Frame, Plot
from harness.report.tradeoffs.common import Study, names
from harness.stats.intervals import value_of
from harness.stats.noise import Aim
from harness.stats.ranking import beaten_by
from harness.units import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.report.aspects.common import Line
    from harness.report.book import Book
    from harness.report.formats import TimeUnit
    from harness.report.grouping import LimitGroup, Workload
    from harness.report.plots import Spot
    from harness.stats.cell import Measured
    from harness.stats.intervals import Estimate

ON_IT: Final = "on the frontier"


@dataclass(frozen=True)
class Point:
    """A cell that has both figures."""

    cell: Measured
    p50: Estimate
    """Milliseconds."""
    peak: Estimate
    """Bytes."""


def frontier(book: Book, workload: Workload) -> Study | None:
    """Latency against memory; `None` where no limit has two cells to compare."""
    compared = [(group, points) for group in workload.groups if (points := _points(group))]
    if not any(len(points) > 1 for _, points in compared):
        return None
    every = [point for _, points in compared for point in points]
    unit = time_unit(point.p50.value for point in every)
    frame = Frame(
        log_scale([unit.of(point.p50) for point in every]),
        linear_scale(point.peak.value / MIB for point in every),
    )
    ahead = {name: found for _, points in compared for name, found in _ahead(book, points).items()}
    return Study(
        slug="frontier",
        title="Latency against memory",
        reading="Further left is faster, lower is leaner. A ring marks the Pareto frontier: nobody is proved both"
        " faster and leaner. A cell is behind only where both differences are proved, so a tie leaves it on the "
        "frontier. Lines are intervals: 95 % of the median, and the range of the peak over trials.",
        axes=frame.axes(
            f"Peak resident memory, MiB, by median latency, {unit.name}, logarithmic",
            ((tick, f"{tick:,.10g}") for tick in frame.x.ticks),
        ),
        names=names(book, (point.cell for point in every)),
        plots=tuple(_plot(book, group, points, frame, unit, ahead) for group, points in compared),
        tables=(table(book, workload, "Median latency and peak memory together", _columns(unit, ahead)),),
        note=f"{CAP_MARK} at the cap: the peak is what the kernel left to it, so it may only look lean.",
    )


def _points(group: LimitGroup) -> list[Point]:
    return [
        Point(each, each.stats.p50_ms, each.stats.rss_peak_bytes)
        for each in group.ok
        if each.stats.p50_ms and each.stats.rss_peak_bytes
    ]


def _ahead(book: Book, points: Sequence[Point]) -> dict[str, tuple[str, ...]]:
    """Who is proved both faster and leaner, by cell id."""
    cells = [point.cell for point in points]
    rankings = [book.ranking(cells, aim) for aim in (Aim.LATENCY, Aim.MEMORY)]
    return {
        each.result.cell_id: tuple(book.name(cells[other]) for other in others)
        for each, others in zip(cells, beaten_by(rankings), strict=True)
    }


def _plot(
    book: Book,
    group: LimitGroup,
    points: Sequence[Point],
    frame: Frame,
    unit: TimeUnit,
    ahead: Mapping[str, tuple[str, ...]],
) -> Plot:
    said = [
        f"{book.name(point.cell)} {duration(point.p50.value)} and {mebibytes(point.peak.value)} MiB"
        for point in points
    ]
    return Plot(
        title=group.title,
        description=f"Median latency and peak resident memory. {'; '.join(said)}.",
        curves=tuple(
            Curve(
                book.name(point.cell),
                book.slot(point.cell),
                (_spot(point, frame, unit, ringed=not ahead[point.cell.result.cell_id]),),
            )
            for point in points
        ),
        told=_told(book, points, ahead),
    )


def _spot(point: Point, frame: Frame, unit: TimeUnit, *, ringed: bool) -> Spot:
    p50 = unit.of(point.p50)
    low_x, high_x = (None if bound is None else frame.across(bound) for bound in (p50.low, p50.high))
    low_y, high_y = (
        None if bound is None else frame.up(bound / MIB) for bound in (point.peak.low, point.peak.high)
    )
    spot = frame.spot(p50.value, point.peak.value / MIB)
    return replace(spot, low_x=low_x, high_x=high_x, low_y=low_y, high_y=high_y, ringed=ringed)


def _told(book: Book, points: Sequence[Point], ahead: Mapping[str, tuple[str, ...]]) -> str:
    if len(points) == 1:
        return f"Only {book.name(points[0].cell)} has figures here."
    beaten = {book.name(point.cell): ahead[point.cell.result.cell_id] for point in points}
    best = listed([name for name, others in beaten.items() if not others])
    behind = [f"{name} (by {listed(others)})" for name, others in beaten.items() if others]
    return f"On the frontier: {best}. " + (
        f"Beaten in both: {listed(behind)}." if behind else "Nobody is proved worse in both."
    )


def _columns(unit: TimeUnit, ahead: Mapping[str, tuple[str, ...]]) -> tuple[Column, ...]:
    def peak(line: Line) -> str:
        return mebibytes(value_of(line.stats.rss_peak_bytes)) + (f" {CAP_MARK}" if line.stats.at_cap else "")

    def place(line: Line) -> str:
        found = ahead.get(line.own.result.cell_id)
        return UNKNOWN if found is None else f"behind {listed(found)}" if found else ON_IT

    return (
        Column("p50", lambda line: unit.number(value_of(line.stats.p50_ms)), unit.name),
        Column("resident peak", peak, "MiB"),
        Column("frontier", place, hint="behind whom it is proved both slower and larger."),
    )
