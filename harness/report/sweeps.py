"""How throughput changes with the size of a call, and where that changes who is fastest.

A sweep is one model under one limit at several batch sizes, or at several sequence lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from harness.report.answers import fastest
from harness.report.formats import NAME_LIMIT, clip, listed, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.report.answers import Pick
    from harness.report.book import Book
    from harness.report.endings import Ending
    from harness.report.grouping import Limit, LimitGroup, Workload
    from harness.stats.cell import Measured

K = TypeVar("K")

NOBODY: Final = "not decided"


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
    axis: str
    sizes: tuple[int, ...]
    rows: tuple[SweepRow, ...]
    winners: tuple[str, ...]
    """Who is fastest at each size, as far as that is proved."""
    changes: str
    """Where that changes."""


def sweeps(book: Book, found: Sequence[Workload]) -> tuple[Sweep, ...]:
    """All sweeps of a run: none where each model has one size only."""
    return tuple(
        _sweep(book, axis, model, limit, groups)
        for axis in (BATCH, SEQUENCE)
        for (model, _, limit), groups in _groups(axis, found).items()
        if len(groups) > 1
    )


def _groups(axis: Axis, found: Sequence[Workload]) -> dict[tuple[str, int, Limit], dict[int, LimitGroup]]:
    """The cells that differ in nothing but one size and the framework, by that size."""
    groups: dict[tuple[str, int, Limit], dict[int, LimitGroup]] = {}
    for workload in found:
        size, kept = getattr(workload.key, axis.name), getattr(workload.key, axis.kept)
        for group in workload.groups:
            groups.setdefault((workload.model, kept, group.limit), {})[size] = group
    return groups


def _sweep(book: Book, axis: Axis, model: str, limit: Limit, groups: dict[int, LimitGroup]) -> Sweep:
    sizes = tuple(sorted(groups))
    leaders = {f"{axis.name} {size}": _leaders(fastest(book, groups[size])) for size in sizes}
    cells = {(each.result.cell.framework, size): each for size in sizes for each in groups[size].cells}
    names = {framework: book.slots[framework] for framework, _ in cells}
    return Sweep(
        title=f"{clip(model, NAME_LIMIT)} by {axis.name}, {limit.title}",
        devices=groups[sizes[0]].devices,
        axis=axis.name,
        sizes=sizes,
        rows=tuple(
            _row(book, [cells.get((framework, size)) for size in sizes])
            for framework in sorted(names, key=lambda name: names[name])
        ),
        winners=tuple(_winner(names) for names in leaders.values()),
        changes=changes(leaders),
    )


def _row(book: Book, cells: Sequence[Measured | None]) -> SweepRow:
    one = next(each for each in cells if each is not None)
    return SweepRow(
        framework=book.name(one),
        slot=book.slot(one),
        cells=tuple(None if each is None else _cell(book, each) for each in cells),
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


def _winner(names: tuple[str, ...]) -> str:
    return f"{listed(names)} tie" if len(names) > 1 else next(iter(names), NOBODY)


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
