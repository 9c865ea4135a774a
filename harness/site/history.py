"""What became of the cells over the runs of one host: what changed first, then the trend of every cell. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from harness.report.grouping import workload_title
from harness.report.palette import slots
from harness.site.trends import day, place, trend
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.site.changes import Change
    from harness.site.entry import Entry, Point
    from harness.site.trends import Trend

MOST_RUNS: Final = 60
"""Runs that are drawn, the newest: more are no longer told apart on a phone. All are in `data/history.csv`."""
MOST_CELLS: Final = 400
"""Cells that are drawn: a page of more is slow to open."""


@dataclass(frozen=True)
class Part:
    """The cells of one workload."""

    title: str
    trends: tuple[Trend, ...]


@dataclass(frozen=True)
class Event:
    """A cell that became worse or better."""

    run_id: str
    when: str
    base: str
    cell_id: str
    kind: str
    text: str
    link: str


@dataclass(frozen=True)
class History:
    """The page of one host."""

    title: str
    detail: str
    total: str
    first: str
    last: str
    """Of the axis; empty where one run is drawn."""
    events: tuple[Event, ...]
    unchanged: str
    """What stands in place of events where there are none."""
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    """What is left out."""


def history(entries: Sequence[Entry], changes: Mapping[str, Change]) -> History:
    """The runs of one host.

    Args:
        entries: the oldest first.
        changes: against the run before, by run id.
    """
    drawn = entries[-MOST_RUNS:]
    places = {each.run_id: place(index, len(drawn)) for index, each in enumerate(drawn)}
    # Of each cell, what the newest run says that has it.
    newest = {cell_id: point for each in drawn for cell_id, point in each.points.items()}
    colours = slots(point.framework for point in newest.values())
    cells = sorted(newest, key=lambda cell_id: _order(newest[cell_id]))[:MOST_CELLS]
    title, detail = entries[-1].machine
    first, last = _ends(drawn[0], drawn[-1])
    return History(
        title=title,
        detail=detail,
        total=counted(len(entries), "run"),
        first=first,
        last=last if len(drawn) > 1 else "",
        events=tuple(_events(drawn, changes)),
        unchanged=_unchanged(drawn, changes),
        parts=tuple(
            Part(
                title=workload_title(workload),
                trends=tuple(
                    trend(cell_id, drawn, changes, places, colours[newest[cell_id].framework])
                    for cell_id in found
                ),
            )
            for workload, found in groupby(cells, key=lambda cell_id: newest[cell_id].workload)
        ),
        notes=tuple(_notes(len(entries), len(newest))),
    )


def _ends(first: Entry, last: Entry) -> tuple[str, str]:
    """The ends of the axis: dates, with the time where one date would stand at both."""
    dates = tuple(f"{each.run.started_at:%Y-%m-%d}" for each in (first, last))
    return (dates[0], dates[1]) if dates[0] != dates[1] else (day(first), day(last))


def _unchanged(drawn: Sequence[Entry], changes: Mapping[str, Change]) -> str:
    if len(drawn) == 1:
        return "There is one run of this host, and nothing to compare it with."
    if not any(change.cells for each in drawn if (change := changes.get(each.run_id))):
        return "No two of these runs were compared."
    return "No cell is proved to have become worse or better in median latency."


def _order(point: Point) -> tuple[object, ...]:
    """Under one limit the frameworks stand side by side."""
    limit = point.limit
    return (*point.workload, *limit[:3], str(limit.threads), point.framework)


def _notes(runs: int, cells: int) -> Iterator[str]:
    if runs > MOST_RUNS:
        yield f"The newest {MOST_RUNS} of {runs} runs are drawn."
    if cells > MOST_CELLS:
        yield f"{MOST_CELLS} of {cells:,} cells are drawn."


def _events(entries: Sequence[Entry], changes: Mapping[str, Change]) -> Iterator[Event]:
    """What changed, the newest first, and of one run the worse first."""
    for entry in reversed(entries):
        change = changes.get(entry.run_id)
        if change is None:
            continue
        moved = [(cell_id, cell) for cell_id, cell in change.cells.items() if cell.kind]
        for cell_id, cell in sorted(moved, key=lambda pair: pair[1].kind, reverse=True):
            yield Event(entry.run_id, day(entry), change.base, cell_id, cell.kind, cell.text, change.folder)
