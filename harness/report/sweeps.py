"""How throughput changes with the size of a call, and where that changes who is fastest.

A sweep is one model under one limit at several batch sizes, or at several sequence lengths; those of one model make a
study.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from harness.report.answers import fastest
from harness.report.formats import NAME_LIMIT, UNKNOWN, clip, listed, rounded
from harness.report.sweep_plots import Line, sweep_axes, sweep_frame, sweep_plot
from harness.report.tradeoffs import too_many
from harness.report.tradeoffs.common import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.report.answers import Pick
    from harness.report.book import Book
    from harness.report.endings import Ending
    from harness.report.grouping import Limit, LimitGroup, Workload
    from harness.report.plots import Axes, Frame, Plot
    from harness.report.tradeoffs.common import Name
    from harness.stats.cell import Measured

K = TypeVar("K")


class Axis(NamedTuple):
    """What changes from call to call, and what stays: the names of two sizes."""

    name: str
    kept: str


BATCH: Final = Axis("batch", kept="sequence")
SEQUENCE: Final = Axis("sequence", kept="batch")


@dataclass(frozen=True)
class SweepCell:
    """One framework at one size."""

    cell_id: str
    throughput: str
    """Items a second."""
    per_cpu: str
    """Items a second of CPU time."""
    ending: Ending


@dataclass(frozen=True)
class SweepRow:
    """One framework at all sizes; `None` where the matrix has no such cell."""

    framework: str
    slot: int
    cells: tuple[SweepCell | None, ...]


@dataclass(frozen=True)
class Sweep:
    """One model under one limit."""

    title: str
    devices: tuple[str, ...]
    rows: tuple[SweepRow, ...]
    winners: tuple[str, ...]
    """Who is fastest at each size, as far as that is proved."""
    changes: str
    """Where that changes."""
    plot: Plot | None
    """`None` where nothing ran, or the study has too many limits."""


@dataclass(frozen=True)
class SweepStudy:
    """One model under all limits at which it has several sizes."""

    title: str
    axis: str
    sizes: tuple[int, ...]
    axes: Axes | None
    """Of all its plots; `None` where there are none."""
    undrawn: str
    """Why there are none, where that is for their number; else empty."""
    names: tuple[Name, ...]
    sweeps: tuple[Sweep, ...]


Sized = dict[int, "LimitGroup"]
"""The cells of one limit by the size of a call."""


def sweeps(book: Book, found: Sequence[Workload]) -> tuple[SweepStudy, ...]:
    """All sweeps of a run: none where each model has one size only."""
    return tuple(
        _study(book, axis, model, kept, limits)
        for axis in (BATCH, SEQUENCE)
        for (model, kept), limits in _groups(axis, found).items()
    )


def _groups(axis: Axis, found: Sequence[Workload]) -> dict[tuple[str, int], dict[Limit, Sized]]:
    """The cells that differ in the framework and one size only, where there are several such sizes.

    Returns:
        By model and the size that stays, and then by limit.
    """
    groups: dict[tuple[str, int], dict[Limit, Sized]] = {}
    for workload in found:
        size, kept = getattr(workload.key, axis.name), getattr(workload.key, axis.kept)
        for group in workload.groups:
            limits = groups.setdefault((workload.model, kept), {})
            limits.setdefault(group.limit, {})[size] = group
    several = {
        key: {limit: sized for limit, sized in limits.items() if len(sized) > 1}
        for key, limits in groups.items()
    }
    return {key: limits for key, limits in several.items() if limits}


def _study(book: Book, axis: Axis, model: str, kept: int, limits: Mapping[Limit, Sized]) -> SweepStudy:
    sizes = tuple(sorted({size for sized in limits.values() for size in sized}))
    lines = {limit: _lines(book, sized, sizes) for limit, sized in limits.items()}
    every = [line for found in lines.values() for line in found]
    undrawn = too_many("Throughput by size is", limits)
    frame = None if undrawn else sweep_frame(sizes, every)
    title = f"{clip(model, NAME_LIMIT)} by {axis.name}" + (f", {axis.kept} {kept}" if kept else "")
    return SweepStudy(
        title=title,
        axis=axis.name,
        sizes=sizes,
        axes=sweep_axes(frame, axis.name) if frame else None,
        undrawn=undrawn,
        names=names(book, (line.one for line in every)),
        sweeps=tuple(
            _sweep(book, axis, title, sizes, limits[limit], lines[limit], frame) for limit in limits
        ),
    )


def _lines(book: Book, sized: Sized, sizes: Sequence[int]) -> tuple[Line, ...]:
    """The frameworks of one limit, in the order of the palette."""
    cells = {
        (each.result.cell.framework, size): each for size, group in sized.items() for each in group.cells
    }
    order = sorted({framework for framework, _ in cells}, key=lambda name: (book.slots[name], name))
    return tuple(Line(tuple(cells.get((framework, size)) for size in sizes)) for framework in order)


def _sweep(
    book: Book,
    axis: Axis,
    title: str,
    sizes: Sequence[int],
    sized: Sized,
    lines: Sequence[Line],
    frame: Frame | None,
) -> Sweep:
    limit = next(iter(sized.values()))
    picks = {size: fastest(book, sized[size]) for size in sizes if size in sized}
    told = changes({f"{axis.name} {size}": _leaders(pick) for size, pick in picks.items()})
    return Sweep(
        title=f"{title}, {limit.title}",
        devices=limit.devices,
        rows=tuple(_row(book, line) for line in lines),
        winners=tuple(_winner(picks[size]) if size in picks else UNKNOWN for size in sizes),
        changes=told,
        plot=sweep_plot(book, limit.title, axis.name, lines, sizes, frame, told) if frame else None,
    )


def _row(book: Book, line: Line) -> SweepRow:
    return SweepRow(
        framework=book.name(line.one),
        slot=book.slot(line.one),
        cells=tuple(None if each is None else _cell(book, each) for each in line.cells),
    )


def _cell(book: Book, measured: Measured) -> SweepCell:
    stats = measured.stats
    return SweepCell(
        cell_id=measured.result.cell_id,
        throughput=rounded(stats.throughput_per_s),
        per_cpu=rounded(stats.throughput_per_cpu_s),
        ending=book.ending(measured),
    )


def _leaders(pick: Pick) -> tuple[str, ...]:
    return tuple(leader.framework for leader in pick.leaders)


def _winner(pick: Pick) -> str:
    names = _leaders(pick)
    return f"{listed(names)} tie" if len(names) > 1 else next(iter(names), pick.verdict)


def changes(leaders: dict[str, tuple[str, ...]]) -> str:
    """Where another one is proved to be the fastest than at the last size at which one was, in words.

    Args:
        leaders: whom nobody is proved to beat, by the size in words, from small to large; where it is one, that one is
            proved to be the fastest.
    """
    decided = {size: names[0] for size, names in leaders.items() if len(names) == 1}
    if len(decided) == len(leaders) and len(set(decided.values())) == 1:
        return f"The same at every size: {next(iter(decided.values()))}."
    return " ".join(
        f"Between {before} and {after} the fastest changes: {first}, then {second}."
        for before, after, first, second in turns(decided)
    )


def turns(decided: Mapping[K, str]) -> Iterator[tuple[K, K, str, str]]:
    """Each pair of neighbours, in the order given, that have different names, with these."""
    for (before, first), (after, second) in pairwise(decided.items()):
        if first != second:
            yield before, after, first, second
