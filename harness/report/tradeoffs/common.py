"""What all trade-offs have in common: a plot for each limit with a sentence below it, and the same in a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.aspects.common import TableRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.report.aspects.common import Table
    from harness.report.book import Book
    from harness.report.plots import Axes, Plot
    from harness.stats.cell import Measured


@dataclass(frozen=True)
class Name:
    """A framework in the key of a chart."""

    framework: str
    slot: int


@dataclass(frozen=True)
class Study:
    """One trade-off of a workload."""

    slug: str
    title: str
    reading: str
    """How to read the chart, in a sentence or two."""
    axes: Axes
    names: tuple[Name, ...]
    plots: tuple[Plot, ...]
    tables: tuple[Table, ...]
    note: str = ""


def names(book: Book, cells: Iterable[Measured]) -> tuple[Name, ...]:
    """The frameworks of some cells, in the order of the palette."""
    found = {book.name(each): book.slot(each) for each in cells}
    return tuple(Name(name, found[name]) for name in sorted(found, key=lambda name: (found[name], name)))


def line(book: Book, measured: Measured, *values: str) -> TableRow:
    """A framework's line in a table of its own form."""
    return TableRow(
        framework=book.name(measured),
        slot=book.slot(measured),
        cell_id=measured.result.cell_id,
        values=values,
        flags=(),
        ending=book.ending(measured),
    )
