"""The data of the chooser: what a reader's needs are held against, in the page itself.

The script only compares and sorts. What is proved of whom is decided here, as everywhere in the report, and a cell that
did not end well comes with its reason.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

from harness.report.flags import flags
from harness.report.formats import AT_CAP, MILLISECONDS, SECONDS, mebibytes, rounded, visible
from harness.stats.intervals import value_of
from harness.stats.noise import Aim

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.book import Book
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.cell import CellStats, Measured


class Candidate(NamedTuple):
    """One framework under one limit; in the script a list, as thousands of them stand in one page."""

    name: str
    slot: int
    ending: str
    """Why it is none; empty where its figures count."""
    flags: tuple[str, ...]
    figures: tuple[str, ...]
    """As the tables print them, with the bounds or the mark in a second line: p50, p99 (ms), resident peak (MiB), time
    from process start to first answer (s), items a second. A need is held against what is shown."""


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
    return Candidate(
        name=visible(book.name(measured)),
        slot=book.slot(measured),
        ending="" if measured.ok else visible(book.ending(measured).sentence),
        flags=flags(measured) if measured.ok else (),
        figures=_figures(measured.stats) if measured.ok else (),
    )


def _figures(stats: CellStats) -> tuple[str, ...]:
    return (
        MILLISECONDS.with_bounds(stats.p50_ms),
        MILLISECONDS.with_bounds(stats.p99_ms),
        mebibytes(value_of(stats.rss_peak_bytes)) + (f"\n{AT_CAP}" if stats.at_cap else ""),
        SECONDS.with_bounds(stats.cold_start_ms),
        rounded(stats.throughput_per_s),
    )


def _proved(book: Book, group: LimitGroup) -> Iterator[tuple[int, int]]:
    """The proved pairs, by place among all candidates of the limit."""
    ok = [place for place, each in enumerate(group.cells) if each.ok]
    ranking = book.ranking([group.cells[place] for place in ok], Aim.LATENCY)
    for one, other in sorted(ranking.less):
        yield ok[one], ok[other]
