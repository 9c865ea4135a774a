"""All cells of a run as one plain table: to be sorted, filtered and copied."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.endings import WORDS
from harness.report.formats import UNKNOWN, mebibytes, number, rounded
from harness.report.grouping import limit_of
from harness.stats.intervals import value_of
from harness.units import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.book import Book
    from harness.report.grouping import Limit, Workload
    from harness.stats.cell import CellStats, Measured

NO_FIGURES: Final = (UNKNOWN,) * 8
PART: Final = 500
"""Rows that a script draws at first."""


@dataclass(frozen=True)
class Column:
    """A column's head; its key is what the page's address calls it."""

    key: str
    title: str
    unit: str = ""
    is_text: bool = False


@dataclass(frozen=True)
class Row:
    """One cell."""

    cell_id: str
    framework: str
    slot: int
    workload: str
    limit: Limit
    status: str
    kind: str
    """Class of the status, as in the map; empty for a cell that ended well."""
    figures: tuple[str, ...]
    page: str = ""
    """Where its evidence is, if not on the page of the table."""


@dataclass(frozen=True)
class CellTable:
    """All cells of a page, or of a run."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...] = (
        Column("framework", "framework"),
        Column("model", "model", is_text=True),
        Column("limit", "limit", is_text=True),
        Column("status", "status", is_text=True),
        Column("p50_ms", "p50", "ms"),
        Column("p50_low_ms", "from", "ms, 95 %"),
        Column("p50_high_ms", "to", "ms, 95 %"),
        Column("p99_ms", "p99", "ms"),
        Column("throughput_per_s", "items/s"),
        Column("cpu_percent", "CPU", "%"),
        Column("rss_peak_bytes", "peak", "MiB"),
        Column("cold_start_ms", "start", "s"),
    )

    @property
    def places(self) -> dict[Limit, int]:
        """Of each limit its place among all of the table."""
        limits = sorted({row.limit for row in self.rows}, key=lambda limit: limit.order)
        return {limit: place for place, limit in enumerate(limits)}

    @property
    def parts(self) -> tuple[tuple[Row, ...], ...]:
        """The rows that are drawn at first, and the rest where there is one."""
        first, rest = self.rows[:PART], self.rows[PART:]
        return (first, rest) if rest else (first,)


def cell_table(book: Book, workloads: Sequence[Workload]) -> CellTable:
    """The table of some workloads: each with its smallest median first, and at its end what did not end well."""
    return CellTable(
        tuple(
            _row(book, workload, each)
            for workload in workloads
            for each in sorted(workload.cells, key=_place)
        )
    )


def _row(book: Book, workload: Workload, each: Measured) -> Row:
    ending = book.ending(each)
    return Row(
        cell_id=each.result.cell_id,
        framework=book.name(each),
        slot=book.slot(each),
        workload=workload.title,
        limit=limit_of(each),
        status=WORDS[each.result.status],
        kind="" if each.ok else ending.kind,
        figures=_figures(each.stats) if each.ok else NO_FIGURES,
    )


def _place(each: Measured) -> tuple[bool, float]:
    p50 = value_of(each.stats.p50_ms)
    return not each.ok, math.inf if p50 is None else p50


def _figures(stats: CellStats) -> tuple[str, ...]:
    p50, start = stats.p50_ms, value_of(stats.cold_start_ms)
    return (
        number(value_of(p50)),
        number(p50.low if p50 else None),
        number(p50.high if p50 else None),
        number(value_of(stats.p99_ms)),
        rounded(stats.throughput_per_s),
        number(stats.cpu_percent),
        mebibytes(value_of(stats.rss_peak_bytes)),
        number(None if start is None else start / MS_PER_S),
    )
