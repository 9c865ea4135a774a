"""Geometry of charts with two axes, pure; the templates only place what is computed here.

As in the charts of one axis, horizontal places are percentages of the drawing and vertical ones pixels. A line needs
both in one, so lines have coordinates of their own, stretched to the width of the plot: `SPAN` from left to right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.charts import ROW_HEIGHT, Scale, Tick, side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.charts import Row

TOP, BOTTOM = 12, 192
"""Of the plot, pixels."""
LEFT, RIGHT = 13.0, 97.0
"""Of the plot, percent of the width: the labels of the lines stand before it."""
SPAN: Final = 1000
AXIS_HEIGHT: Final = 24
MAX_DECADES: Final = 4
"""Powers of ten that a phone has room to label."""
WIDE: Final = 10_000
"""From here on a phone has no room for all digits of a number on the vertical axis."""
THOUSANDS: Final = ((1e9, " G"), (1e6, " M"), (1e3, " k"))


@dataclass(frozen=True)
class Spot:
    """A framework's marker in a plot."""

    x: float
    y: float
    low_x: float | None = None
    high_x: float | None = None
    low_y: float | None = None
    high_y: float | None = None
    """An interval as a line through it, in one direction or both."""
    ringed: bool = False


@dataclass(frozen=True)
class Curve:
    """What a plot draws for one framework."""

    name: str
    slot: int
    spots: tuple[Spot, ...]
    path: str = ""
    band: str = ""
    """An outline to fill, such as the range around a line."""


@dataclass(frozen=True)
class Axes:
    """What all plots of one kind share: what the two axes show, with their units, and where."""

    title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[tuple[float, str], ...]
    bottom: int = BOTTOM
    """Where the horizontal one is, pixels."""


@dataclass(frozen=True)
class Plot:
    """One chart with two axes."""

    title: str
    description: str
    """The same in words, for who does not see it."""
    curves: tuple[Curve, ...]
    told: str
    """What is to be seen, in a sentence or two."""
    meetings: tuple[Spot, ...] = ()
    """Where two of its lines cross."""
    guide: str = ""
    """A line that is nobody's, such as the ideal."""
    rows: tuple[Row, ...] = ()
    """Below the axis, on the same scale."""

    @property
    def shared(self) -> frozenset[int]:
        """Slots of the palette that several of its frameworks have: their names have to stand beside their marks."""
        slots = [curve.slot for curve in self.curves]
        return frozenset(slot for slot in slots if slots.count(slot) > 1)

    @property
    def height(self) -> int:
        """Of the whole drawing, pixels."""
        return BOTTOM + AXIS_HEIGHT + len(self.rows) * ROW_HEIGHT


@dataclass(frozen=True)
class Frame:
    """The two scales of a plot."""

    x: Scale
    y: Scale

    def across(self, value: float) -> float:
        """The horizontal place of a value, percent of the drawing."""
        return round(LEFT + self.x.at(value) / 100 * (RIGHT - LEFT), 1)

    def up(self, value: float) -> float:
        """The vertical place of a value, pixels."""
        return round(BOTTOM - self.y.at(value) / 100 * (BOTTOM - TOP), 1)

    def spot(self, x: float, y: float) -> Spot:
        """A marker at a point."""
        return Spot(self.across(x), self.up(y))

    def path(self, points: Iterable[tuple[float, float]]) -> str:
        """A line through points, in the coordinates of lines."""
        return "M" + "L".join(self._corners(points))

    def band(self, lower: Sequence[tuple[float, float]], upper: Sequence[tuple[float, float]]) -> str:
        """The outline between two lines over the same places."""
        return self.path([*lower, *reversed(upper)]) + "z"

    def axes(self, title: str, labels: Iterable[tuple[float, str]]) -> Axes:
        """Both axes, with labels for places on the horizontal one."""
        places = ((self.across(value), label) for value, label in labels)
        return Axes(
            title,
            x_ticks=tuple(Tick(x, label, side(x)) for x, label in places),
            y_ticks=tuple((self.up(tick), _narrow(tick)) for tick in self.y.ticks),
        )

    def _corners(self, points: Iterable[tuple[float, float]]) -> Iterable[str]:
        return (f"{self.x.at(x) / 100 * SPAN:.0f} {self.up(y):g}" for x, y in points)


def row_top(index: int) -> int:
    """Where a row below the axis begins, pixels."""
    return BOTTOM + AXIS_HEIGHT + index * ROW_HEIGHT


def decades(high: float) -> Scale:
    """A logarithmic axis of counts, from one to the power of ten at or above a number."""
    last = max(1, math.ceil(round(math.log10(high), 9)))
    step = math.ceil(last / MAX_DECADES)
    return Scale(
        1.0,
        10.0**last,
        logarithmic=True,
        ticks=tuple(10.0**exponent for exponent in range(0, last + 1, step)),
    )


def _narrow(tick: float) -> str:
    """A label that fits into the room before the plot."""
    return short(tick) if tick >= WIDE else f"{tick:,.10g}"


def short(count: float) -> str:
    """A round number in few letters, such as `100 k`."""
    size, letter = next(((size, letter) for size, letter in THOUSANDS if count >= size), (1.0, ""))
    return f"{count / size:,.10g}{letter}"
