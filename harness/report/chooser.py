"""The data of the chooser: what a reader's needs are held against, in the page itself.

The script only filters and sorts. What is proved of whom is decided here, as everywhere in the report, and a cell that
did not end well comes with its reason.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from harness.report.formats import visible
from harness.stats.intervals import value_of
from harness.stats.noise import Aim
from harness.units import MIB, MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.book import Book
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.cell import Measured

DIGITS: Final = 4
"""Significant ones: one more than is shown."""


@dataclass(frozen=True)
class Candidate:
    """One framework under one limit; figures are missing where they are unknown."""

    name: str
    slot: int
    ending: str
    """Why it is none; empty where its figures count."""
    p50: float | None
    """Milliseconds."""
    low: float | None
    high: float | None
    p99: float | None
    memory: float | None
    """Resident peak, MiB."""
    start: float | None
    """From process start to first answer, seconds."""
    throughput: float | None
    """Items a second."""


@dataclass(frozen=True)
class Choice:
    """All candidates under one limit."""

    title: str
    candidates: tuple[Candidate, ...]
    less: tuple[tuple[int, int], ...]
    """Pairs of candidates of which the first is proved faster than the second."""


@dataclass(frozen=True)
class Subject:
    """One model at one size of a call."""

    title: str
    choices: tuple[Choice, ...]


def subjects(book: Book, found: Sequence[Workload]) -> tuple[Subject, ...]:
    """All that there is to choose from."""
    return tuple(
        Subject(workload.title, tuple(_choice(book, group) for group in workload.groups))
        for workload in found
    )


def as_script(chosen: Sequence[Subject]) -> str:
    """The same as JSON that may stand in a script element: nothing in it can end that."""
    text = json.dumps([asdict(subject) for subject in chosen], ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\N{LINE SEPARATOR}", "\\u2028")


def _choice(book: Book, group: LimitGroup) -> Choice:
    devices = f" ({', '.join(map(visible, group.devices))})" if group.devices else ""
    return Choice(
        title=group.title + devices,
        candidates=tuple(_candidate(book, each) for each in group.cells),
        less=tuple(_proved(book, group)),
    )


def _candidate(book: Book, measured: Measured) -> Candidate:
    stats, ok = measured.stats, measured.ok
    p50 = stats.p50_ms if ok else None
    peak, start = value_of(stats.rss_peak_bytes), value_of(stats.cold_start_ms)
    figures = (
        ("p50", p50.value if p50 else None),
        ("low", p50.low if p50 else None),
        ("high", p50.high if p50 else None),
        ("p99", value_of(stats.p99_ms) if ok else None),
        ("memory", peak / MIB if ok and peak is not None else None),
        ("start", start / MS_PER_S if ok and start is not None else None),
        ("throughput", stats.throughput_per_s if ok else None),
    )
    return Candidate(
        name=visible(book.name(measured)),
        slot=book.slot(measured),
        ending="" if ok else visible(book.ending(measured).sentence),
        **{name: None if value is None else float(f"{value:.{DIGITS}g}") for name, value in figures},
    )


def _proved(book: Book, group: LimitGroup) -> Iterator[tuple[int, int]]:
    """The proved pairs, by place among all candidates of the limit."""
    ok = [place for place, each in enumerate(group.cells) if each.ok]
    ranking = book.ranking([group.cells[place] for place in ok], Aim.LATENCY)
    for one, other in sorted(ranking.less):
        yield ok[one], ok[other]
