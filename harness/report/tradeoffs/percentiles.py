"""How latency spreads: each percentile that the calls bear, not only the middle one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Column, table
from harness.report.charts import Scale, log_scale
from harness.report.formats import EN_DASH, UNKNOWN, listed, ratio, time_unit
from harness.report.plots import Curve, Frame, Plot
from harness.report.tradeoffs.common import Study, names
from harness.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.report.aspects.common import Line
    from harness.report.book import Book
    from harness.report.formats import TimeUnit
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.cell import Measured
    from harness.stats.spread import Spread

LABELS: Final = {0.5: "p50", 0.9: "p90", 0.99: "p99", 0.999: "p99.9", 0.9999: "p99.99"}
SHOWN: Final = {0.1: "p10", 0.5: "p50", 0.9: "p90", 0.95: "p95"} | LABELS
"""Percentiles of the table, from common to rare."""
SHORTEST: Final = 0.9
"""The axis reaches this far even where no cell's calls do."""


def percentiles(book: Book, workload: Workload) -> Study | None:
    """How the latencies of a workload spread; `None` where no cell has enough calls."""
    known = [each for each in workload.ok if each.stats.spread]
    spreads = [each.stats.spread for each in known if each.stats.spread]
    if not spreads:
        return None
    unit = time_unit(each.middle[each.levels.index(0.5)] for each in spreads)
    furthest = max(SHORTEST, *(each.levels[-1] for each in spreads))
    extremes = [bound for each in spreads for bound in (min(each.low), max(each.high))]
    frame = Frame(
        Scale(0.0, rarity(furthest), logarithmic=False, ticks=()),
        log_scale([Estimate(value=bound * unit.per_ms) for bound in extremes]),
    )
    labels = [(rarity(level), label) for level, label in LABELS.items() if level <= furthest]
    columns = tuple(
        Column(label, _percentile(level, unit), unit.name)
        for level, label in sorted(SHOWN.items())
        if level <= furthest
    )
    return Study(
        slug="percentiles",
        title="Percentiles",
        reading="Lower is faster, and flatter is steadier. Each line is one framework from its common calls on "
        "the left to its rare ones on the right, where each step is ten times rarer; the marker is the median. "
        "The shade is the range over trials.",
        axes=frame.axes(f"Latency, {unit.name}, by percentile, both logarithmic", labels),
        names=names(book, known),
        plots=tuple(
            _plot(book, group, frame, unit)
            for group in workload.groups
            if any(each.stats.spread for each in group.ok)
        ),
        tables=(
            table(book, workload, "Percentiles, and below each the smallest and the largest trial", columns),
        ),
        note="A line ends at the rarest percentile that the calls of every trial bear: one beyond which two or "
        "more of them lie with 99 % certainty, and no further than one call in 10,000.",
    )


def rarity(level: float) -> float:
    """The place of a quantile on the axis: 0 for the smallest, and 1 more for each tenfold rarer call."""
    return -math.log10(1 - level)


def _plot(book: Book, group: LimitGroup, frame: Frame, unit: TimeUnit) -> Plot:
    known = [(each, each.stats.spread) for each in group.ok if each.stats.spread]
    said = [f"{book.name(each)} {_in_words(spread)}" for each, spread in known]
    return Plot(
        title=group.title,
        description=f"Latency by percentile. {'; '.join(said)}.",
        curves=tuple(_curve(book, each, spread, frame, unit) for each, spread in known),
        told=_told(book, known),
    )


def _curve(book: Book, measured: Measured, spread: Spread, frame: Frame, unit: TimeUnit) -> Curve:
    def points(figures: Iterable[float]) -> list[tuple[float, float]]:
        return [
            (rarity(level), figure * unit.per_ms)
            for level, figure in zip(spread.levels, figures, strict=True)
        ]

    middle = points(spread.middle)
    return Curve(
        name=book.name(measured),
        slot=book.slot(measured),
        spots=(frame.spot(*middle[spread.levels.index(0.5)]), frame.spot(*middle[-1])),
        path=frame.path(middle),
        band=frame.band(points(spread.low), points(spread.high)),
    )


def _percentile(level: float, unit: TimeUnit) -> Callable[[Line], str]:
    def text(line: Line) -> str:
        found = line.stats.spread.at(level) if line.stats.spread else None
        if found is None:
            return UNKNOWN
        middle, low, high = (unit.number(each) for each in found)
        return middle if line.stats.ok_trials == 1 else f"{middle}\n{low} {EN_DASH} {high}"

    return text


def _in_words(spread: Spread) -> str:
    times = spread.middle[-1] / spread.middle[spread.levels.index(0.5)]
    return f"{ratio(times, 1.0)} its median at {_name(spread.levels[-1])}"


def _name(level: float) -> str:
    """A percentile by its number, cut to where it says something new, such as `p99.5`."""
    digits = max(0, math.ceil(rarity(level)) - 1)
    return f"p{math.floor(level * 100 * 10**digits + 1e-6) / 10**digits:g}"


def _told(book: Book, known: Sequence[tuple[Measured, Spread]]) -> str:
    """How far the rare calls are from the common ones, at the rarest percentile that all bear."""
    shared = [level for level in LABELS if all(level in spread.levels for _, spread in known)]
    if len(shared) < 2:
        return ""
    last = shared[-1]
    times = {
        book.name(each): found[0] / middle[0]
        for each, spread in known
        if (found := spread.at(last)) is not None and (middle := spread.at(0.5)) is not None
    }
    ordered = sorted(times, key=lambda name: times[name])
    return f"{LABELS[last]} over median: {listed([f'{name} {ratio(times[name], 1.0)}' for name in ordered])}."
