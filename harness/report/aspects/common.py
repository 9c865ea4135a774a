"""What all aspects have in common: a chart for each limit, and one table that says the same in figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.report.charts import AXIS_HEIGHT, CAP_HEIGHT, ROW_HEIGHT, Cap, Panel
from harness.report.flags import flags
from harness.report.formats import EN_DASH, NAME_LIMIT, UNKNOWN, clip, ratio
from harness.stats.noise import Aim, by_round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.report.book import Book
    from harness.report.charts import Axis, Row, Scale
    from harness.report.endings import Ending
    from harness.report.grouping import Limit, LimitGroup, Workload
    from harness.stats.cell import CellStats, Measured

CAP_REACH: Final = 1.6
"""A cap at most this many times the largest figure is worth the room on the axis."""
PLACE_HINT: Final = (
    "cells share places that the trials do not tell apart: a place is proved by a difference within rounds that is "
    "significant after a correction for the number of comparisons, and above the A/A floor."
)


@dataclass(frozen=True)
class Line:
    """A table's line in the making: a cell that is ok, and what it is compared with."""

    own: Measured
    base: Measured | None
    """The baseline framework's cell under the same limit, where it has figures."""
    limit: Limit

    @property
    def stats(self) -> CellStats:
        """The cell's figures."""
        return self.own.stats


@dataclass(frozen=True)
class Head:
    """The head of a table's column."""

    title: str
    unit: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table of cells: its head, and how a cell's text is made."""

    title: str
    text: Callable[[Line], str]
    """A second line, such as the interval of a figure, is printed small."""
    unit: str = ""
    hint: str = ""

    @property
    def head(self) -> Head:
        """What stands above it."""
        return Head(self.title, self.unit, self.hint)


@dataclass(frozen=True)
class TableRow:
    """One cell's line: its figures, or how it failed."""

    framework: str
    slot: int
    cell_id: str
    values: tuple[str, ...]
    flags: tuple[str, ...]
    """What casts doubt on the figures, in a word each."""
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
    columns: tuple[Head, ...]
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
    tables: tuple[Table, ...]
    legend: tuple[Key, ...] = ()
    note: str = ""


def table(
    book: Book, workload: Workload, caption: str, columns: Sequence[Column], aim: Aim = Aim.LATENCY
) -> Table:
    """A table of all cells of a workload; `aim` is what its figures tell of."""
    groups = []
    for group in workload.groups:
        base = group.of(book.run.baseline)
        rows = tuple(
            TableRow(
                framework=book.name(each),
                slot=book.slot(each),
                cell_id=each.result.cell_id,
                values=tuple(column.text(Line(each, base, group.limit)) for column in columns if each.ok),
                flags=flags(each, aim) if each.ok else (),
                ending=book.ending(each),
            )
            for each in group.cells
        )
        groups.append(TableGroup(group.title, group.devices, rows))
    return Table(caption, tuple(column.head for column in columns), tuple(groups))


def against(book: Book, figure: Callable[[CellStats], float | None]) -> Column:
    """A column that relates a figure to the baseline framework's."""

    def text(line: Line) -> str:
        return ratio(figure(line.stats), figure(line.base.stats) if line.base else None)

    return Column(f"against {clip(book.run.baseline, NAME_LIMIT)}", text)


def place(book: Book, workload: Workload, aim: Aim) -> Column:
    """A column with the places that a cell may have under its limit, such as `1`, or `2` to `3`."""
    places: dict[str, str] = {}
    for group in workload.groups:
        known = [each for each in group.ok if by_round(each.stats, aim)]
        bands = book.ranking(known, aim).bands()
        for each, (best, worst) in zip(known, bands, strict=True):
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
