"""The charts of a sweep: items a second by the size of a call, one line for each framework."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from harness.report.charts import log_scale, scale_over
from harness.report.formats import rounded
from harness.report.plots import Curve, Frame, Plot
from harness.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.book import Book
    from harness.report.plots import Axes
    from harness.stats.cell import Measured


@dataclass(frozen=True)
class Line:
    """One framework at all sizes, from small to large."""

    cells: tuple[Measured | None, ...]
    """`None` where the matrix has no such cell."""

    @property
    def one(self) -> Measured:
        """Any cell of it: all are of one framework."""
        return next(each for each in self.cells if each is not None)


def sweep_frame(sizes: Sequence[int], lines: Iterable[Line]) -> Frame | None:
    """The scales that the sweeps of one model share; `None` where no cell has a throughput."""
    known = [found for line in lines for each in line.cells if (found := throughput(each)) is not None]
    if not known:
        return None
    return Frame(scale_over(sizes), log_scale([Estimate(value=each) for each in known]))


def sweep_axes(frame: Frame, name: str) -> Axes:
    """What the two axes show; `name` is that of the size."""
    labels = ((tick, f"{tick:,.10g}") for tick in frame.x.ticks)
    return frame.axes(f"Items a second by {name}, both logarithmic", labels)


def sweep_plot(
    book: Book, title: str, name: str, lines: Sequence[Line], sizes: Sequence[int], frame: Frame, told: str
) -> Plot:
    """The chart of one limit.

    Args:
        book: the run and its colours.
        title: the limit.
        name: of the size.
        lines: of the frameworks.
        sizes: from small to large.
        frame: its scales.
        told: what is to be seen.
    """
    said = []
    for line in lines:
        figures = [
            f"{rounded(found)} at {size}"
            for size, each in zip(sizes, line.cells, strict=True)
            if (found := throughput(each)) is not None
        ]
        said.append(f"{book.name(line.one)} {', '.join(figures) or 'has no figure'}")
    return Plot(
        title=title,
        description=f"Items a second by {name}. {'; '.join(said)}.",
        curves=tuple(_curve(book, line, sizes, frame) for line in lines),
        told=told,
    )


def throughput(measured: Measured | None) -> float | None:
    """Items a second of a cell whose figures count."""
    return measured.stats.throughput_per_s if measured is not None and measured.ok else None


def _curve(book: Book, line: Line, sizes: Sequence[int], frame: Frame) -> Curve:
    """A framework's markers, and a line between neighbours: where a size has no figure, the line has a gap."""
    points = [(float(size), throughput(each)) for size, each in zip(sizes, line.cells, strict=True)]
    pieces = [
        [(size, found) for size, found in piece if found is not None]
        for is_known, piece in groupby(points, key=lambda point: point[1] is not None)
        if is_known
    ]
    return Curve(
        name=book.name(line.one),
        slot=book.slot(line.one),
        spots=tuple(frame.spot(*point) for piece in pieces for point in piece),
        path="".join(frame.path(piece) for piece in pieces if len(piece) > 1),
    )
