"""Scales, ticks and geometry of the charts, pure; the templates only place what is computed here.

Horizontal positions are percentages of the drawing's width and vertical ones pixels, so that a chart fits a phone
and a wide screen while its text keeps its size. Every row has its name and figure above its mark: no gutter to
cut a long name, no legend to look up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.stats.intervals import Estimate

ROW_HEIGHT: Final = 38
AXIS_HEIGHT: Final = 20
"""Above the rows, so that charts of different height share one axis."""
CAP_HEIGHT: Final = 18
"""Below the rows, for the cap's label."""
MAX_TICKS: Final = 6
NICE_STEPS: Final = (1, 2, 5, 10)
NARROWEST_TICKS: Final = 13
"""Percent of the width that a label needs on a phone."""
NARROWEST_LAST: Final = 20
"""The same for a last one, the longest, that stands left of its place."""
EDGE: Final = 7
"""A label this close to an end of the drawing, percent, would leave it if it were centred."""
WIDEST_INTERVAL: Final = 10
"""Times the largest figure, and down from the smallest: an axis gives no more room to intervals than that."""


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    x: float
    label: str
    anchor: str
    """SVG's `text-anchor`: labels at the ends stay inside the drawing."""


@dataclass(frozen=True)
class Axis:
    """An axis as it is drawn: what it shows, with its unit, and where."""

    title: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Scale:
    """From a figure to a place on the axis."""

    low: float
    high: float
    logarithmic: bool
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """The place of a value, percent of the width; what is off the axis lies at its end."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(max(value, low)), math.log(low), math.log(high)
        share = (value - low) / (high - low)
        return round(100 * min(1.0, max(0.0, share)), 1)

    def axis(self, title: str) -> Axis:
        """The axis of this scale."""
        places = ((self.at(tick), f"{tick:,.10g}") for tick in self.ticks)
        return Axis(title, tuple(Tick(x, label, side(x)) for x, label in places))


def side(x: float) -> str:
    """The `text-anchor` of a label, percent of the width: at the ends it stays inside the drawing."""
    return "start" if x < EDGE else "end" if x > 100 - EDGE else "middle"


@dataclass(frozen=True)
class Dot:
    """A figure as a marker, with its interval as a line."""

    x: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Bar:
    """A figure, or a part of one, as a length."""

    x: float
    width: float
    kind: str = ""
    """CSS class that fills it, where it is not its row's colour."""


@dataclass(frozen=True)
class Row:
    """One framework's line in a panel."""

    name: str
    slot: int
    figure: str
    """What stands beside the name: the number with its unit, or how the cell failed."""
    y: int = 0
    """Top, pixels."""
    dot: Dot | None = None
    bars: tuple[Bar, ...] = ()
    failed: bool = False


@dataclass(frozen=True)
class Cap:
    """The limit, drawn into a panel."""

    text: str
    x: float | None
    """`None` where the limit lies beyond the axis."""
    anchor: str


@dataclass(frozen=True)
class Panel:
    """One chart: the cells of one limit."""

    title: str
    description: str
    """The same in words, for who does not see it."""
    rows: tuple[Row, ...]
    cap: Cap | None
    plot_bottom: int
    height: int


def linear_scale(values: Iterable[float]) -> Scale:
    """An axis from zero to a round number at or above the largest value."""
    largest = max(values, default=0.0)
    if largest <= 0:
        largest = 1.0
    step = nice_at_least(largest / (MAX_TICKS - 1))
    count = math.ceil(largest / step - 1e-9)
    return Scale(0.0, step * count, logarithmic=False, ticks=tuple(step * i for i in range(count + 1)))


def log_scale(estimates: Sequence[Estimate]) -> Scale:
    """An axis of round numbers around positive figures and their bounds; bounds far outside are cut."""
    if not estimates:
        return Scale(1.0, 10.0, logarithmic=True, ticks=(1.0, 10.0))
    values = [each.value for each in estimates]
    reach = values + [bound for each in estimates for bound in (each.low, each.high) if bound is not None]
    low = nice_at_most(max(min(reach), min(values) / WIDEST_INTERVAL))
    high = nice_at_least(min(max(reach), max(values) * WIDEST_INTERVAL))
    if low == high:
        high = nice_at_least(high * 1.1)
    return Scale(low, high, logarithmic=True, ticks=log_ticks(low, high))


def scale_over(places: Sequence[float]) -> Scale:
    """A logarithmic axis over measured places, which rise: each is a tick, or where they crowd, round numbers are."""
    low, *_, high = map(float, places)
    fit = len(places) <= MAX_TICKS and not crowded(places, low, high)
    return Scale(
        low, high, logarithmic=True, ticks=tuple(map(float, places)) if fit else log_ticks(low, high)
    )


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers between the ends, as many as fit, and the ends where there is room for them.

    Powers of ten are what a reader counts by: ends make room for them, and only among more powers than fit every
    second, third or n-th is taken.
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)

    def between(*steps: int) -> list[float]:
        every = [step * 10.0**exponent for exponent in exponents for step in steps]
        return [tick for tick in every if low * (1 + 1e-9) < tick < high * (1 - 1e-9)]

    powers = between(1)
    thinned = (powers[first::keep] for keep in range(1, len(powers) + 1) for first in range(keep))
    counted = (between(1, 2, 5), between(1, 5), powers)
    ends = (((low,), (high,)), ((), (high,)), ((low,), ()), ((), ()))
    for choices in (counted, thinned):
        for (first, last), choice in product(ends, choices):
            ticks = (*first, *choice, *last)
            if 1 < len(ticks) <= MAX_TICKS and not crowded(ticks, low, high):
                return ticks
    return (low, high)


def crowded(ticks: Sequence[float], low: float, high: float) -> bool:
    """Whether two neighbours on a logarithmic axis from `low` to `high` leave no room for their labels."""
    places = [100 * math.log(tick / low, high / low) for tick in ticks]
    *gaps, last = (right - left for left, right in pairwise(places))
    return min(gaps, default=100) < NARROWEST_TICKS or last < (
        NARROWEST_LAST if side(places[-1]) == "end" else NARROWEST_TICKS
    )


def nice_at_least(value: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in NICE_STEPS if step * power >= value * (1 - 1e-9))


def nice_at_most(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in reversed(NICE_STEPS) if step * power <= value * (1 + 1e-9))


def stacked(lengths: Iterable[tuple[str, float]], scale: Scale) -> tuple[Bar, ...]:
    """Bars end to end from zero, one for each (kind, length) that is long enough to see."""
    bars = []
    start = 0.0
    for kind, length in lengths:
        x = scale.at(start)
        width = round(scale.at(start + length) - x, 1)
        if width > 0:
            bars.append(Bar(x, width, kind))
        start += length
    return tuple(bars)
