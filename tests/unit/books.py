"""Stored runs as the report reads them."""

from collections.abc import Sequence

from harness.report.aspects.common import Book
from harness.report.grouping import Workload, workloads
from harness.report.html import render
from harness.report.palette import slots
from harness.results import CellResult, Run
from harness.stats import measure
from tests.factories import run


def read(made: tuple[Run, tuple[CellResult, ...]]) -> tuple[Book, tuple[Workload, ...]]:
    of, cells = made
    return Book(of, slots(each.cell.framework for each in cells)), workloads(of, measure(cells))


def only(*cells: CellResult) -> tuple[Book, Workload]:
    book, found = read((run(cells), cells))
    return book, found[0]


def page(of: Run, cells: Sequence[CellResult]) -> str:
    """The page of stored cells."""
    return render(of, measure(cells))
