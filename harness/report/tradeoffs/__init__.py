"""What is had for what: how latency spreads, latency against memory, start against speed, and more cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.tradeoffs.breakeven import breakeven
from harness.report.tradeoffs.frontier import frontier
from harness.report.tradeoffs.percentiles import percentiles
from harness.report.tradeoffs.scaling import scaling

if TYPE_CHECKING:
    from harness.report.book import Book
    from harness.report.grouping import Workload
    from harness.report.tradeoffs.common import Study


def tradeoffs(book: Book, workload: Workload) -> tuple[Study, ...]:
    """All trade-offs that the cells of a workload show, in the order of the page."""
    found = (build(book, workload) for build in (percentiles, frontier, breakeven, scaling))
    return tuple(study for study in found if study is not None)
