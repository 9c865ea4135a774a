"""What all aspects have in common: a chart for each limit, and one table that says the same in figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.intervals import Estimate, rank_bands
from harness.report.charts import AXIS_HEIGHT, CAP_HEIGHT, ROW_HEIGHT, Cap, Panel, Row
from harness.report.endings import Ending, ending
from harness.report.formats import EN_DASH, NAME_LIMIT, UNKNOWN, clip, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.report.charts import Axis, Bar, Dot, Scale
    from harness.report.grouping import LimitGroup, Workload
    from harness.results import Run
    from harness.stats import CellStats, Measured

CAP_REACH: Final = 1.6
"""A cap at most this many times the largest figure is worth the room on the axis."""
PLACE_HINT: Final = (
    "cells share places that the trials cannot tell apart: they tie when their intervals meet."
)


@dataclass(frozen=True)
class Book:
    """What every part of the page needs beside the cells."""

    run: Run
    slots: Mapping[str, int]

    def name(self, measured: Measured) -> str:
        """A cell's framework, cut where somebody made it endless."""
        return clip(measured.result.cell.framework, NAME_LIMIT)

    def slot(self, measured: Measured) -> int:
        """The place of a cell's framework in the palette."""
        return self.slots[measured.result.cell.framework]

    def ending(self, measured: Measured) -> Ending:
        """How a cell ended."""
        return ending(measured.result, self.run)

    def row(
        self,
        measured: Measured,
        figure: str = UNKNOWN,
        *,
        dot: Dot | None = None,
        bars: tuple[Bar, ...] = (),
        failed: bool = False,
    ) -> Row:
        """A chart's row for a cell; without marks where its figure is unknown."""
        return Row(self.name(measured), self.slot(measured), figure, dot=dot, bars=bars, failed=failed)


@dataclass(frozen=True)
class Line:
    """A table's line in the making: a cell that is ok, and what it is compared with."""

    own: Measured
    base: Measured | None
    """The baseline framework's cell under the same limit, where it has figures."""
    limit: tuple[float, int]

    @property
    def stats(self) -> CellStats:
        """The cell's figures."""
        return self.own.stats


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and how a cell's text is made."""

    title: str
    text: Callable[[Line], str]
    unit: str = ""
    hint: str = ""


@dataclass(frozen=True)
class TableRow:
    """One cell's line: its figures, or how it failed."""

    framework: str
    slot: int
    cell_id: str
    values: tuple[str, ...]
    ending: Ending


@dataclass(frozen=True)
class TableGroup:
    """The lines of one limit."""

    title: str
    devices: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class Table:
    """A table in groups; its first column is the framework."""

    caption: str
    columns: tuple[Column, ...]
    groups: tuple[TableGroup, ...]


@dataclass(frozen=True)
class Key:
    """An entry of a chart's legend."""

    kind: str
    text: str


@dataclass(frozen=True)
class Aspect:
    """One aspect of a workload."""

    slug: str
    title: str
    reading: str
    """How to read the chart, in a sentence or two."""
    axis: Axis
    panels: tuple[Panel, ...]
    table: Table
    legend: tuple[Key, ...] = ()
    note: str = ""


def table(book: Book, workload: Workload, caption: str, columns: Sequence[Column]) -> Table:
    """A table of all cells of a workload."""
    groups = []
    for group in workload.groups:
        base = group.of(book.run.baseline)
        rows = tuple(
            TableRow(
                framework=book.name(each),
                slot=book.slot(each),
                cell_id=each.result.cell_id,
                values=tuple(column.text(Line(each, base, group.limit)) for column in columns if each.ok),
                ending=book.ending(each),
            )
            for each in group.cells
        )
        groups.append(TableGroup(group.title, group.devices, rows))
    return Table(caption, tuple(columns), tuple(groups))


def against(book: Book, figure: Callable[[CellStats], float | None]) -> Column:
    """A column that relates a figure to the baseline framework's."""

    def text(line: Line) -> str:
        return ratio(figure(line.stats), figure(line.base.stats) if line.base else None)

    return Column(f"against {clip(book.run.baseline, NAME_LIMIT)}", text)


def place(workload: Workload, figure: Callable[[CellStats], Estimate | None]) -> Column:
    """A column with the places that a cell may have under its limit, such as `1`, or `2` to `3`."""
    places: dict[str, str] = {}
    for group in workload.groups:
        known = [(each, found) for each in group.ok if (found := figure(each.stats)) is not None]
        for (each, _), (best, worst) in zip(known, rank_bands([found for _, found in known]), strict=True):
            places[each.result.cell_id] = str(best) if best == worst else f"{best}{EN_DASH}{worst}"
    return Column("place", lambda line: places.get(line.own.result.cell_id, UNKNOWN), hint=PLACE_HINT)


def panel(
    book: Book, group: LimitGroup, axis: Axis, draw: Callable[[Measured], Row], cap: Cap | None = None
) -> Panel:
    """A chart of one limit.

    Args:
        book: the run and its colours.
        group: the cells.
        axis: which all limits share.
        draw: the row of a cell that is ok; the others say how they ended, and so leave no hole.
        cap: the limit, where it is a length on this axis.
    """
    rows = [
        draw(each) if each.ok else book.row(each, book.ending(each).word, failed=True) for each in group.cells
    ]
    bottom = AXIS_HEIGHT + len(rows) * ROW_HEIGHT
    told = "; ".join(f"{row.name} {row.figure}" for row in rows)
    return Panel(
        title=group.title,
        description=f"{axis.title}. {told}." + (f" {cap.text}." if cap else ""),
        rows=tuple(replace(row, y=AXIS_HEIGHT + index * ROW_HEIGHT) for index, row in enumerate(rows)),
        cap=cap,
        plot_bottom=bottom,
        height=bottom + (CAP_HEIGHT if cap else 0),
    )


def axis_values(figures: Sequence[float], caps: Iterable[float]) -> list[float]:
    """What a linear axis must hold: every figure, and the caps that are not far beyond them."""
    largest = max(figures, default=0.0)
    return [*figures, *(cap for cap in caps if cap <= CAP_REACH * largest)]


def cap_mark(text: str, limit: float, scale: Scale) -> Cap:
    """The limit, as a line where the axis reaches it and as a remark where it does not."""
    if limit > scale.high:
        return Cap(f"{text}, beyond this axis →", None, "end")
    x = scale.at(limit)
    return Cap(text, x, "end" if x > 50 else "start")
