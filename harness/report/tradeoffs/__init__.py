"""What is had for what: how latency spreads, latency against memory, start against speed, and more cores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.tradeoffs.breakeven import breakeven
from harness.report.tradeoffs.frontier import frontier
from harness.report.tradeoffs.percentiles import percentiles
from harness.report.tradeoffs.scaling import scaling

if TYPE_CHECKING:
    from harness.report.book import Book
    from harness.report.grouping import Workload
    from harness.report.tradeoffs.common import Study

MOST_LIMITS: Final = 24
"""That are drawn of a workload: more are no picture any more, and most of what a large page weighs."""


def tradeoffs(book: Book, workload: Workload) -> tuple[Study, ...]:
    """All trade-offs that the cells of a workload show, in the order of the page; none where it has too many limits."""
    if len(workload.groups) > MOST_LIMITS:
        return ()
    found = (build(book, workload) for build in (percentiles, frontier, breakeven, scaling))
    return tuple(study for study in found if study is not None)


def undrawn(workload: Workload) -> str:
    """Why the trade-offs of a workload are not drawn; empty where they are."""
    count = len(workload.groups)
    if count <= MOST_LIMITS:
        return ""
    return (
        "Percentiles, latency against memory, break-even and more cores are drawn for up to "
        f"{MOST_LIMITS} limits of a model, and here are {count}; a run of fewer, chosen with --only, has them"
    )
