"""From process start to the first answer, split by phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.records import COLD_START_PHASES
from harness.report.aspects.common import Aspect, Column, Key, against, panel, place, table
from harness.report.charts import linear_scale, stacked
from harness.report.formats import UNKNOWN, time_unit
from harness.stats.intervals import value_of
from harness.stats.noise import Aim

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.records import Phase
    from harness.report.aspects.common import Line, Table
    from harness.report.book import Book
    from harness.report.charts import Row
    from harness.report.grouping import Workload
    from harness.stats.cell import Measured


def start(book: Book, workload: Workload) -> Aspect:
    """The start-up section of a workload."""
    workload = workload.by(lambda stats: value_of(stats.cold_start_ms))
    lengths = [sum(each.stats.phase_ms.values()) for each in workload.ok]
    unit = time_unit(lengths)
    scale = linear_scale(length * unit.per_ms for length in lengths)

    def draw(each: Measured) -> Row:
        total = each.stats.cold_start_ms
        parts = (
            (_kind(index), each.stats.phase_ms.get(phase, 0.0) * unit.per_ms)
            for index, phase in enumerate(COLD_START_PHASES)
        )
        figure = f"{unit.number(total.value)} {unit.name}" if total else UNKNOWN
        return book.row(each, figure, bars=stacked(parts, scale))

    axis = scale.axis(f"Time to the first answer, {unit.name}")
    cold = book.run.protocol.page_cache == "cold"
    which = "not in the page cache" if cold else "left in the page cache"
    return Aspect(
        slug="start",
        title="Cold start" if cold else "Start",
        reading="Shorter is quicker to start: from process start to first answer, with its libraries and model "
        f"{which}. The parts are the phases' medians over trials and the figure is the median of the whole, so they "
        "may differ a little.",
        axis=axis,
        panels=tuple(panel(book, group, axis, draw) for group in workload.groups),
        tables=(_table(book, workload),),
        legend=tuple(Key(_kind(index), phase.value) for index, phase in enumerate(COLD_START_PHASES)),
    )


def _kind(index: int) -> str:
    return f"p{index}"


def _table(book: Book, workload: Workload) -> Table:
    # Phases span from microseconds to seconds: the unit that suits the middle one keeps most of them readable.
    unit = time_unit(wall for each in workload.ok for wall in each.stats.phase_ms.values())

    def spent_in(phase: Phase) -> Callable[[Line], str]:
        return lambda line: unit.number(line.stats.phase_ms.get(phase))

    columns = (
        place(book, workload, Aim.START),
        Column("to first answer", lambda line: unit.number(value_of(line.stats.cold_start_ms)), unit.name),
        Column("95 % interval", lambda line: unit.bounds(line.stats.cold_start_ms), unit.name),
        against(book, lambda stats: value_of(stats.cold_start_ms)),
        *(Column(phase.value, spent_in(phase), unit.name) for phase in COLD_START_PHASES),
    )
    return table(book, workload, "Start-up, split by phase", columns, Aim.START)
