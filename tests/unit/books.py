"""Stored runs as the report reads them."""

from collections.abc import Sequence

from harness.report.book import Book
from harness.report.grouping import Workload, workloads
from harness.report.html import render
from harness.results import CellResult, ReferenceProbe
from harness.runs import Run
from harness.stats.cell import measure
from tests.factories import run


def read(made: tuple[Run, tuple[CellResult, ...]]) -> tuple[Book, tuple[Workload, ...]]:
    of, cells = made
    measured = measure(cells)
    return Book.of(of, measured), workloads(of, measured)


def only(*cells: CellResult) -> tuple[Book, Workload]:
    book, found = read((run(cells), cells))
    return book, found[0]


def page(of: Run, cells: Sequence[CellResult], probes: Sequence[ReferenceProbe] = ()) -> str:
    """The page of stored cells."""
    return render(of, measure(cells), probes)
