"""The trend of one cell over the runs of one host: places of dots, lines and signs, and the rows of its table. Pure.

A line joins two runs that were compared, and a sign stands exactly where `edgematrix compare` says that a cell became
worse or better: nothing here judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.charts import log_scale
from harness.report.formats import NAME_LIMIT, UNKNOWN, clip, duration, mebibytes
from harness.site.changes import CellChange
from harness.stats.intervals import value_of
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.report.charts import Scale
    from harness.site.changes import Change
    from harness.site.entry import Entry, Point

LEFT, RIGHT = 17.0, 97.0
"""Of the marks, percent of the width: the labels of the lines stand before them."""
TOP, BOTTOM = 12.0, 72.0
"""Of the plot, pixels."""
ENDED: Final = 86.0
"""Where a cell stands that did not end well: below the plot."""


@dataclass(frozen=True)
class Mark:
    """A cell in one run, and its row of the table."""

    x: float
    y: float
    low: float | None
    high: float | None
    ok: bool
    kind: str
    """`worse` or `better`, where the comparison says so."""
    run_id: str
    when: str
    figure: str
    interval: str
    memory: str
    start: str
    change: str
    link: str
    """Of the comparison; empty without one."""


@dataclass(frozen=True)
class Joint:
    """A line between two runs that were compared."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Trend:
    """One cell over the runs."""

    cell_id: str
    framework: str
    slot: int
    limit: str
    words: str
    """The same in words, for who does not see it."""
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    joints: tuple[Joint, ...]

    @property
    def drawn(self) -> bool:
        """Whether any run has a figure of it."""
        return any(mark.ok for mark in self.marks)

    @property
    def signed(self) -> bool:
        """Whether a comparison says of any run that it changed."""
        return any(mark.kind for mark in self.marks)

    @property
    def newest(self) -> str:
        """The figure of the newest run."""
        return self.marks[-1].figure


def trend(
    cell_id: str,
    entries: Sequence[Entry],
    changes: Mapping[str, Change],
    places: Mapping[str, float],
    slot: int,
) -> Trend:
    """One cell over some runs.

    Args:
        cell_id: the cell.
        entries: the runs, the oldest first; at least one has it.
        changes: each against the run before, by run id.
        places: of the runs, percent of the width.
        slot: of the cell's framework in the palette.
    """
    having = [each for each in entries if cell_id in each.points]
    newest = having[-1].points[cell_id]
    scale = log_scale([found for each in having if (found := each.points[cell_id].p50) is not None])
    marks = {
        each.run_id: _mark(
            each, each.points[cell_id], scale, places[each.run_id], told(each, cell_id, changes)
        )
        for each in having
    }
    return Trend(
        cell_id=cell_id,
        framework=clip(newest.framework, NAME_LIMIT),
        slot=slot,
        limit=newest.limit.title,
        words=_words(list(marks.values())),
        ticks=tuple((_y(scale, end), duration(end)) for end in (scale.high, scale.low)),
        marks=tuple(marks.values()),
        joints=tuple(_joints(marks, changes)),
    )


def told(entry: Entry, cell_id: str, changes: Mapping[str, Change]) -> tuple[CellChange, str] | None:
    """What the comparison of a run says of a cell, and where; `None` where there is none."""
    change = changes.get(entry.run_id)
    return (change.cells[cell_id], change.folder) if change and cell_id in change.cells else None


def _mark(entry: Entry, point: Point, scale: Scale, x: float, change: tuple[CellChange, str] | None) -> Mark:
    p50 = point.p50
    low, high = (p50.low, p50.high) if p50 is not None else (None, None)
    found, link = change or (CellChange(kind="", text=UNKNOWN), "")
    return Mark(
        x=x,
        y=ENDED if p50 is None else _y(scale, p50.value),
        low=None if low is None else _y(scale, low),
        high=None if high is None else _y(scale, high),
        ok=p50 is not None,
        kind=found.kind,
        run_id=entry.run_id,
        when=day(entry),
        figure=point.ending.sentence if p50 is None else duration(p50.value),
        interval=UNKNOWN if low is None or high is None else f"{duration(low)} to {duration(high)}",
        memory=mebibytes(value_of(point.rss)),
        start=UNKNOWN if point.start is None else duration(point.start.value),
        change=found.text,
        link=link,
    )


def _joints(marks: Mapping[str, Mark], changes: Mapping[str, Change]) -> Iterator[Joint]:
    for run_id, mark in marks.items():
        change = changes.get(run_id)
        before = marks.get(change.base) if change is not None and change.cells else None
        if before is not None and before.ok and mark.ok:
            yield Joint(before.x, before.y, mark.x, mark.y)


def _words(marks: Sequence[Mark]) -> str:
    moved = [f"{mark.run_id}: {mark.change}" for mark in marks if mark.kind]
    span = f"{counted(len(marks), 'run')}, the first {marks[0].figure}, the newest {marks[-1].figure}"
    return f"{span}; {'; '.join(moved) or 'nothing proved to have changed'}."


def day(entry: Entry) -> str:
    """When a run began."""
    return f"{entry.run.started_at:%Y-%m-%d %H:%M}"


def place(index: int, count: int) -> float:
    """Where a run is drawn, percent of the width."""
    return round(LEFT + (RIGHT - LEFT) * (index / (count - 1) if count > 1 else 0.5), 1)


def _y(scale: Scale, value: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * scale.at(value) / 100, 1)
