"""What is had for what: how latency spreads, latency against memory, start against speed, and more cores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.tradeoffs.breakeven import breakeven
from harness.report.tradeoffs.frontier import frontier
from harness.report.tradeoffs.percentiles import percentiles
from harness.report.tradeoffs.scaling import scaling

if TYPE_CHECKING:
    from collections.abc import Sized

    from harness.report.book import Book
    from harness.report.grouping import Workload
    from harness.report.tradeoffs.common import Study

MOST_LIMITS: Final = 24
"""That are drawn of a workload: more are no picture any more, and most of what a large page weighs."""


def tradeoffs(book: Book, workload: Workload) -> tuple[Study, ...]:
    """All trade-offs that the cells of a workload show, in the order of the page; none where it has too many limits."""
    if undrawn(workload):
        return ()
    found = (build(book, workload) for build in (percentiles, frontier, breakeven, scaling))
    return tuple(study for study in found if study is not None)


def undrawn(workload: Workload) -> str:
    """Why the trade-offs of a workload are not drawn; empty where they are."""
    return too_many("Percentiles, latency against memory, break-even and more cores are", workload.groups)


def too_many(what: str, limits: Sized) -> str:
    """Why `what` is not drawn of so many limits; empty where it is."""
    if len(limits) <= MOST_LIMITS:
        return ""
    return (
        f"{what} drawn for up to {MOST_LIMITS} limits of a model, and here are {len(limits)}; a run of fewer, chosen "
        "with --only, has them"
    )
