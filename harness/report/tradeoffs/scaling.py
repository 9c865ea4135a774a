"""What more cores bring: speed-up and efficiency from the fewest cores on, with the memory held fixed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Head, Table, TableGroup
from harness.report.charts import log_scale, scale_over
from harness.report.formats import UNKNOWN, cpus, listed, percent, ratio, times
from harness.report.plots import Curve, Frame, Plot
from harness.report.tradeoffs.common import Study, line, names
from harness.results import CpuMode
from harness.stats.differences import counts, holm, paired_difference
from harness.stats.intervals import Estimate
from harness.units import format_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.aspects.common import TableRow
    from harness.report.book import Book
    from harness.report.grouping import LimitGroup, Workload
    from harness.report.plots import Spot
    from harness.stats.cell import Measured
    from harness.stats.differences import Difference

IDEAL: Final = 1.0


@dataclass(frozen=True)
class Gain:
    """What a framework gains by more cores."""

    cores: int
    cell: Measured
    """On so many."""
    speedup: Estimate
    """How many times faster than on the fewest, with its interval."""
    proved: bool
    """It is larger than the A/A floor, and significant after Holm's correction."""


@dataclass(frozen=True)
class Ladder:
    """The limits that differ in nothing but the number of whole cores, the fewest first."""

    groups: tuple[LimitGroup, ...]
    gains: tuple[Gain, ...]

    @property
    def base(self) -> int:
        """The fewest cores."""
        return round(self.groups[0].limit.cpus)

    @property
    def cores(self) -> tuple[int, ...]:
        """All numbers of cores that some framework has a figure for."""
        return (self.base, *sorted({gain.cores for gain in self.gains}))

    @property
    def title(self) -> str:
        """What is held fixed."""
        limit = self.groups[0].limit
        told = "" if limit.threads == "match" else f", threads {limit.threads}"
        return f"{format_memory(limit.memory_bytes)}{told}"

    @property
    def cells(self) -> tuple[Measured, ...]:
        """One for each framework, in the order of the most cores."""
        found: dict[str, Measured] = {}
        for group in reversed(self.groups):
            for each in group.cells:
                found.setdefault(each.result.cell.framework, each)
        return tuple(found.values())

    def of(self, cell: Measured) -> list[Gain]:
        """What one framework gains, from few cores to many."""
        return [gain for gain in self.gains if gain.cell.result.cell.framework == cell.result.cell.framework]


def scaling(book: Book, workload: Workload) -> Study | None:
    """Speed-up over cores; `None` where the matrix has one number of whole cores only, or nothing to compare."""
    ladders = [ladder for ladder in _ladders(book, workload) if ladder.gains]
    if not ladders:
        return None
    frame = _frame(ladders)
    return Study(
        slug="scaling",
        title="More cores",
        reading="Higher gains more: how many times faster the median call is than on the fewest cores, with as "
        "much memory. The dashed line is the ideal, twice as fast on twice as many; the upright lines are 95 % "
        "intervals over rounds.",
        axes=frame.axes(
            "Speed-up by number of cores, both logarithmic",
            ((count, cpus(count, CpuMode.CPUSET)) for count in frame.x.ticks),
        ),
        names=names(book, (gain.cell for ladder in ladders for gain in ladder.gains)),
        plots=tuple(_plot(book, ladder, frame) for ladder in ladders),
        tables=(_table(book, ladders),),
        note="Efficiency is the speed-up as a part of the ideal. Small calls do not fill many cores: handing out "
        "the work then costs more than it saves.",
    )


def _ladders(book: Book, workload: Workload) -> list[Ladder]:
    held: dict[object, list[LimitGroup]] = {}
    for group in workload.groups:
        if group.limit.cpu_mode is CpuMode.CPUSET and group.ok:
            held.setdefault(group.limit._replace(cpus=0), []).append(group)
    return [Ladder(tuple(groups), tuple(_gains(book, groups))) for groups in held.values() if len(groups) > 1]


def _gains(book: Book, groups: Sequence[LimitGroup]) -> list[Gain]:
    base, *more = groups
    found = [
        (group, each, difference)
        for group in more
        for each in group.ok
        if (own := base.of(each.result.cell.framework)) is not None
        if (difference := paired_difference(each.stats.medians_ms, own.stats.medians_ms)) is not None
    ]
    adjusted = holm([difference.p_value for _, _, difference in found])
    least = book.least(groups)
    return [
        Gain(
            cores=round(group.limit.cpus),
            cell=each,
            speedup=_estimate(difference),
            proved=counts(difference, p_value, least),
        )
        for (group, each, difference), p_value in zip(found, adjusted, strict=True)
    ]


def _estimate(difference: Difference) -> Estimate:
    low, high = difference.interval()
    return Estimate(value=difference.ratio, low=low, high=high)


def _frame(ladders: Sequence[Ladder]) -> Frame:
    cores = sorted({count for ladder in ladders for count in ladder.cores})
    ideals = [Estimate(value=max(ladder.cores) / ladder.base) for ladder in ladders]
    speedups = [gain.speedup for ladder in ladders for gain in ladder.gains]
    return Frame(
        scale_over(cores),
        log_scale([Estimate(value=IDEAL), *ideals, *speedups]),
    )


def _plot(book: Book, ladder: Ladder, frame: Frame) -> Plot:
    starts = {gain.cell.result.cell.framework: gain.cell for gain in ladder.gains}
    said = [
        f"{book.name(gain.cell)} {ratio(gain.speedup.value, 1.0)} on {cpus(gain.cores, CpuMode.CPUSET)}"
        for gain in ladder.gains
    ]
    ends = (ladder.base, max(ladder.cores))
    return Plot(
        title=ladder.title,
        description=f"Speed-up against {cpus(ladder.base, CpuMode.CPUSET)}. {'; '.join(said)}.",
        curves=tuple(_curve(book, ladder, cell, frame) for cell in starts.values()),
        guide=frame.path((count, count / ladder.base) for count in ends),
        told=_told(book, ladder),
    )


def _curve(book: Book, ladder: Ladder, cell: Measured, frame: Frame) -> Curve:
    gains = ladder.of(cell)
    start = (float(ladder.base), IDEAL)
    points = [(float(gain.cores), gain.speedup.value) for gain in gains]
    return Curve(
        name=book.name(cell),
        slot=book.slot(cell),
        spots=tuple(_spot(gain, frame) for gain in gains),
        path=frame.path([start, *points]),
    )


def _spot(gain: Gain, frame: Frame) -> Spot:
    found = gain.speedup
    low, high = (None if bound is None else frame.up(bound) for bound in (found.low, found.high))
    return replace(frame.spot(gain.cores, found.value), low_y=low, high_y=high)


def _told(book: Book, ladder: Ladder) -> str:
    most = max(gain.cores for gain in ladder.gains)
    last = [gain for gain in ladder.gains if gain.cores == most]
    said = [
        (words, [book.name(gain.cell) for gain in last if gain.proved and (gain.speedup.value > 1) == faster])
        for words, faster in (("faster", True), ("slower", False))
    ]
    open_ones = [book.name(gain.cell) for gain in last if not gain.proved]
    found = [f"proved {words}: {listed(who)}" for words, who in said if who]
    if open_ones:
        found.append(f"no difference proved: {listed(open_ones)}")
    return f"On {cpus(most, CpuMode.CPUSET)}, against {ladder.base}, {'; '.join(found)}."


def _table(book: Book, ladders: Sequence[Ladder]) -> Table:
    more = sorted({count for ladder in ladders for count in ladder.cores[1:]})
    heads = [
        head
        for count in more
        for head in (Head(f"speed-up on {cpus(count, CpuMode.CPUSET)}"), Head("efficiency"))
    ]
    groups = tuple(
        TableGroup(
            f"{ladder.title}, against {cpus(ladder.base, CpuMode.CPUSET)}",
            (),
            tuple(_row(book, ladder, each, more) for each in ladder.cells),
        )
        for ladder in ladders
    )
    return Table("Speed-up with its 95 % interval, and its part of the ideal", tuple(heads), groups)


def _row(book: Book, ladder: Ladder, cell: Measured, more: Sequence[int]) -> TableRow:
    gains = {gain.cores: gain for gain in ladder.of(cell)}
    values: list[str] = []
    for count in more:
        gain = gains.get(count)
        if gain is None:
            values += [UNKNOWN, UNKNOWN]
            continue
        speedup = gain.speedup
        values.append(times(speedup.value, speedup.low, speedup.high))
        values.append(percent(speedup.value * ladder.base / count))
    return line(book, cell, *values)
