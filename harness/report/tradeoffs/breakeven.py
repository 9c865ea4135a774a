"""Break-even: after how many requests a slow starter has overtaken a fast one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Final

from harness.report.aspects.common import Head, Table, TableGroup
from harness.report.charts import Dot, Row, log_scale
from harness.report.formats import EN_DASH, duration, rounded, time_unit
from harness.report.plots import Curve, Frame, Plot, decades, row_top, short
from harness.report.tradeoffs.common import Study, line, names
from harness.stats.breakeven import Course, crossing
from harness.stats.intervals import Estimate
from harness.stats.noise import Aim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.aspects.common import TableRow
    from harness.report.book import Book
    from harness.report.formats import TimeUnit
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.breakeven import Crossing
    from harness.stats.cell import Measured

STEPS: Final = 24
"""Pieces of a line: on logarithmic axes it bends where the calls outweigh the start."""
BEYOND: Final = 3.0
"""The axis ends where the calls of each have taken so many times its start."""


@dataclass(frozen=True)
class Candidate:
    """A cell whose start and calls are known."""

    cell: Measured
    course: Course


@dataclass(frozen=True)
class Overtaking:
    """A slow starter that is proved to overtake a fast one."""

    slow: Candidate
    fast: Candidate
    at: Crossing

    @property
    def meeting_ms(self) -> float:
        """What both have taken by then."""
        return self.slow.course.after(self.at.calls)


def breakeven(book: Book, workload: Workload) -> Study | None:
    """Total time against the number of requests; `None` where no limit has two cells to compare."""
    fields = [(group, candidates) for group in workload.groups if (candidates := _candidates(group))]
    if not any(len(candidates) > 1 for _, candidates in fields):
        return None
    met = [overtakings(book, candidates) for _, candidates in fields]
    every = [candidate for _, candidates in fields for candidate in candidates]
    frame, unit = _frame(
        [candidate.course for candidate in every], [each.at for found in met for each in found]
    )
    return Study(
        slug="breakeven",
        title="Break-even",
        reading="Lower takes less time in all for so many requests: the cold start, which ends with the first "
        "answer, and a median call for each further one. Lines are flat while the start is most of it. A circle marks "
        "where a slow starter has caught up with a fast one; below, each such point with its 95 % interval.",
        axes=frame.axes(
            f"Time in all, {unit.name}, by number of requests, both logarithmic",
            ((tick, short(tick)) for tick in frame.x.ticks),
        ),
        names=names(book, (candidate.cell for candidate in every)),
        plots=tuple(
            _plot(book, group, candidates, found, frame, unit)
            for (group, candidates), found in zip(fields, met, strict=True)
        ),
        tables=_tables(book, [group for group, _ in fields], met),
        note="A point is only told where both the starts and the calls are proved to differ; between the bounds "
        "of its interval the rounds do not tell who is ahead (Fieller's bounds of the paired differences). It is "
        "that of a process that answers one request after the other, with calls as fast as in the steady phase: "
        "the first ones after a start are slower.",
    )


def overtakings(book: Book, candidates: Sequence[Candidate]) -> list[Overtaking]:
    """All proved crossings among cells of one limit, the earliest first."""
    cells = [candidate.cell for candidate in candidates]
    starts, calls = (book.ranking(cells, aim) for aim in (Aim.START, Aim.LATENCY))
    found = [
        Overtaking(candidates[slow], candidates[fast], at)
        for slow, fast in permutations(range(len(cells)), 2)
        if starts.proved_less(fast, slow) and calls.proved_less(slow, fast)
        if (at := crossing(candidates[slow].course, candidates[fast].course)) is not None
    ]
    return sorted(found, key=lambda each: each.at.calls)


def _candidates(group: LimitGroup) -> list[Candidate]:
    return [
        Candidate(
            each,
            Course(
                start_ms=each.stats.cold_start_ms.value,
                call_ms=each.stats.p50_ms.value,
                starts_ms=each.stats.cold_starts_ms,
                calls_ms=each.stats.medians_ms,
            ),
        )
        for each in group.ok
        if each.stats.cold_start_ms and each.stats.p50_ms
    ]


def _frame(courses: Sequence[Course], met: Sequence[Crossing]) -> tuple[Frame, TimeUnit]:
    unit = time_unit(course.start_ms for course in courses)
    outweighed = (BEYOND * course.start_ms / course.call_ms for course in courses)
    calls = decades(max(1.0, *outweighed, *(each.high for each in met)))
    ends = [course.after(end) * unit.per_ms for course in courses for end in (calls.low, calls.high)]
    return Frame(calls, log_scale([Estimate(value=end) for end in ends])), unit


def _plot(
    book: Book,
    group: LimitGroup,
    candidates: Sequence[Candidate],
    met: Sequence[Overtaking],
    frame: Frame,
    unit: TimeUnit,
) -> Plot:
    rows = tuple(_row(book, each, frame, index) for index, each in enumerate(met))
    said = [
        f"{book.name(candidate.cell)} starts in {duration(candidate.course.start_ms)} and takes "
        f"{duration(candidate.course.call_ms)} a request"
        for candidate in candidates
    ]
    said += [f"{row.name} at request {row.figure}" for row in rows]
    return Plot(
        title=group.title,
        description=f"Time in all by number of requests. {'; '.join(said)}.",
        curves=tuple(_curve(book, candidate, frame, unit) for candidate in candidates),
        meetings=tuple(frame.spot(each.at.calls, each.meeting_ms * unit.per_ms) for each in met),
        told=_told(book, candidates, met),
        rows=rows,
    )


def _curve(book: Book, candidate: Candidate, frame: Frame, unit: TimeUnit) -> Curve:
    high = frame.x.high
    counts = [high ** (step / STEPS) for step in range(STEPS + 1)]
    points = [(count, candidate.course.after(count) * unit.per_ms) for count in counts]
    return Curve(
        name=book.name(candidate.cell),
        slot=book.slot(candidate.cell),
        spots=(frame.spot(*points[1]), frame.spot(*points[-1])),
        path=frame.path(points),
    )


def _row(book: Book, each: Overtaking, frame: Frame, index: int) -> Row:
    across = [frame.across(calls) for calls in (each.at.calls, each.at.low, each.at.high)]
    return Row(
        name=f"{book.name(each.slow.cell)} overtakes {book.name(each.fast.cell)}",
        slot=book.slot(each.slow.cell),
        figure=rounded(each.at.calls),
        y=row_top(index),
        dot=Dot(*across),
    )


def _told(book: Book, candidates: Sequence[Candidate], met: Sequence[Overtaking]) -> str:
    if len(candidates) == 1:
        return f"Only {book.name(candidates[0].cell)} has figures here."
    return "" if met else "No slow starter is proved to overtake a fast one."


def _tables(
    book: Book, limits: Sequence[LimitGroup], met: Sequence[Sequence[Overtaking]]
) -> tuple[Table, ...]:
    groups = tuple(
        TableGroup(group.title, group.devices, tuple(_line(book, each) for each in found))
        for group, found in zip(limits, met, strict=True)
        if found
    )
    heads = (
        Head("overtakes"),
        Head("from request"),
        Head("95 % interval"),
        Head("after", hint="what both have taken by then."),
    )
    return (Table("Who overtakes whom, and from which request on", heads, groups),) if groups else ()


def _line(book: Book, each: Overtaking) -> TableRow:
    return line(
        book,
        each.slow.cell,
        book.name(each.fast.cell),
        rounded(each.at.calls),
        f"{rounded(each.at.low)} {EN_DASH} {rounded(each.at.high)}",
        duration(each.meeting_ms),
    )
