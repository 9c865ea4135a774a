"""The controls of a run: what it measures beside its matrix, to judge the others by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.formats import UNKNOWN, duration
from harness.report.grouping import limit_of

if TYPE_CHECKING:
    from harness.report.book import Book
    from harness.report.endings import Ending
    from harness.stats.intervals import Estimate


@dataclass(frozen=True)
class Control:
    """One control cell."""

    cell_id: str
    role: str
    limit: str
    p50: str
    interval: str
    ending: Ending


def controls(book: Book) -> tuple[Control, ...]:
    """All control cells."""
    return tuple(
        Control(
            cell_id=each.result.cell_id,
            role="timer's floor" if each.result.cell.is_floor else "twin",
            limit=limit_of(each).title,
            p50=duration(p50.value) if (p50 := each.stats.p50_ms) else UNKNOWN,
            interval=_bounds(each.stats.p50_ms),
            ending=book.ending(each),
        )
        for each in book.controls
    )


def _bounds(p50: Estimate | None) -> str:
    if p50 is None or p50.low is None or p50.high is None:
        return UNKNOWN
    return f"{duration(p50.low)} to {duration(p50.high)}"
