"""One edition's ladder: its drawing, and every rung with what it was worth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from harness.report.article.words import bounds_of, names_of, order_of, place_of
from harness.report.charts import log_scale
from harness.report.formats import TIMES, UNKNOWN, clip, listed, number, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.article.figures import Climb, Standing, Step
    from harness.article.ladder import Ladder, Rung
    from harness.report.charts import Scale

CHART_TOP, CHART_HEIGHT = 14, 300
"""Pixels: above the drawing, and of it."""
EDGE: Final = 4
"""Percent of the width left free on either side."""
NO_CHANGE: Final = "no change"


@dataclass(frozen=True)
class Mark:
    """A figure in the ladder's chart."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Leg:
    """From one rung to the next."""

    start: Mark
    end: Mark
    counts: bool


@dataclass(frozen=True)
class Line:
    """One framework in the ladder's chart."""

    framework: str
    slot: int
    marks: tuple[Mark, ...]
    legs: tuple[Leg, ...]


@dataclass(frozen=True)
class Chart:
    """The ladder as a drawing."""

    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    columns: tuple[float, ...]
    height: int
    description: str


@dataclass(frozen=True)
class RungRow:
    """One rung: what is done otherwise, and what that was worth."""

    number: int
    title: str
    change: str
    place: str
    worth: str
    """In words."""
    values: tuple[str, ...]
    """Of each framework: latency and place, and what the step was worth."""


@dataclass(frozen=True)
class LadderView:
    """One edition's ladder."""

    title: str
    slug: str
    chart: Chart
    rungs: tuple[RungRow, ...]
    floor: str


def ladder_view(ladder: Ladder, found: Climb, colours: Mapping[str, int]) -> LadderView:
    """All rungs of one edition, as a drawing and one by one."""
    return LadderView(
        title=f"The ladder with {found.edition.words}",
        slug=found.edition.value,
        chart=_chart(ladder, found, colours),
        rungs=tuple(_rung(ladder, index, rung, found) for index, rung in enumerate(ladder.rungs)),
        floor="unknown, as nothing was measured twice" if found.floor is None else share(found.floor.ratio),
    )


def _rung(ladder: Ladder, index: int, rung: Rung, found: Climb) -> RungRow:
    standings = found.rungs[rung.name]
    return RungRow(
        number=index,
        title=rung.title,
        change=rung.change,
        place=rung.place,
        worth="" if index == 0 else _worth(ladder, standings),
        values=tuple(_cell(standings[name]) for name in ladder.frameworks),
    )


def _cell(standing: Standing) -> str:
    if standing.latency is None:
        return f"failed\n{clip(standing.error or 'not measured', 60)}"
    effect = () if standing.step is None else _effect(standing.step)
    lines = (number(standing.latency.value), bounds_of(standing.latency), place_of(standing), *effect)
    return "\n".join(filter(None, lines))


def _effect(step: Step) -> tuple[str, str]:
    """What a step did, as a factor, and the interval of that; what is not proved is no change."""
    if step.difference is None:
        return UNKNOWN, ""
    if not step.counts:
        return NO_CHANGE, ""
    low, high = step.difference.interval()
    ratio = step.difference.ratio
    if ratio < 1:
        return f"{number(1 / ratio)}{TIMES} faster", f"[{number(1 / high)}, {number(1 / low)}]"
    return f"{number(ratio)}{TIMES} slower", f"[{number(low)}, {number(high)}]"


def _worth(ladder: Ladder, standings: Mapping[str, Standing]) -> str:
    """What a step was worth, in a sentence."""
    known = {
        name: each.step
        for name, each in standings.items()
        if each.step is not None and each.step.difference is not None
    }
    if not known:
        return "Not measured."
    changed = [
        f"{ladder.published[name].title} {_effect(step)[0]}" for name, step in known.items() if step.counts
    ]
    missing = [name for name in standings if name not in known]
    if not changed and not missing:
        return "No framework changed by more than identical sittings do."
    told = f"{listed(changed)}." if changed else ""
    # Before the others, so that they are those with a figure.
    without = f"Not measured: {names_of(ladder, missing)}." if missing else ""
    rest = "The others: no change." if len(changed) < len(known) else ""
    return " ".join(filter(None, (told, without, rest)))


def _chart(ladder: Ladder, found: Climb, colours: Mapping[str, int]) -> Chart:
    """Latency over the rungs, on a logarithmic axis."""
    estimates = [
        each.latency for rung in found.rungs.values() for each in rung.values() if each.latency is not None
    ]
    scale = log_scale(estimates)
    width = (100 - 2 * EDGE) / (len(ladder.rungs) - 1)
    columns = tuple(round(EDGE + index * width, 2) for index in range(len(ladder.rungs)))
    starts, ends = (names_of(ladder, order_of(found.rungs[ladder.rungs[index].name])) for index in (0, -1))
    return Chart(
        lines=tuple(_line(ladder, name, colours[name], found, scale, columns) for name in ladder.frameworks),
        ticks=tuple((_height(scale, tick), f"{tick:,.10g} ms") for tick in scale.ticks),
        columns=columns,
        height=CHART_TOP + CHART_HEIGHT + 24,
        description=f"Latency of a call on each rung. At the article's protocol, the fastest first: "
        f"{starts or 'not measured'}; at the last rung: {ends or 'not measured'}. The table below has every figure.",
    )


def _height(scale: Scale, value: float) -> float:
    return round(CHART_TOP + (100 - scale.at(value)) / 100 * CHART_HEIGHT, 1)


def _line(ladder: Ladder, name: str, slot: int, found: Climb, scale: Scale, columns: Sequence[float]) -> Line:
    marks: list[tuple[Mark, bool]] = []
    for x, rung in zip(columns, ladder.rungs, strict=True):
        standing = found.rungs[rung.name][name]
        if (latency := standing.latency) is None:
            continue
        low, high = latency.low or latency.value, latency.high or latency.value
        mark = Mark(x, *(_height(scale, value) for value in (latency.value, low, high)))
        marks.append((mark, standing.step is not None and standing.step.counts))
    legs = tuple(Leg(start, end, counts) for (start, _), (end, counts) in pairwise(marks))
    return Line(ladder.published[name].title, slot, tuple(mark for mark, _ in marks), legs)
