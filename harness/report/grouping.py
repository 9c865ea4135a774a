"""The cells in the order in which people compare them: by workload, then by limit, the fastest first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from harness.intervals import value_of
from harness.report.formats import limit_name
from harness.stats import CellStats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.results import Run
    from harness.stats import Measured

Limit = tuple[float, int]
"""CPUs and bytes of memory."""
Figure = Callable[[CellStats], float | None]


@dataclass(frozen=True)
class LimitGroup:
    """All cells of one workload under one limit: those that ran by p50, then the others by name."""

    limit: Limit
    devices: tuple[str, ...]
    """The names that the matrix gives this limit."""
    cells: tuple[Measured, ...]

    @property
    def title(self) -> str:
        """The limit in words."""
        return limit_name(self.limit)

    @property
    def ok(self) -> tuple[Measured, ...]:
        """The cells whose figures count."""
        return tuple(each for each in self.cells if each.ok)

    def by(self, figure: Figure) -> LimitGroup:
        """The same cells with the smallest figure first; those without one keep their places behind."""
        return replace(self, cells=tuple(sorted(self.cells, key=lambda each: _smallest(each, figure))))

    def of(self, framework: str) -> Measured | None:
        """A framework's cell whose figures count."""
        return next((each for each in self.ok if each.result.cell.framework == framework), None)


@dataclass(frozen=True)
class Workload:
    """One model at one batch size: what frameworks are compared on."""

    model: str
    batch: int
    groups: tuple[LimitGroup, ...]

    def by(self, figure: Figure) -> Workload:
        """The same cells, under each limit with the smallest figure first."""
        return replace(self, groups=tuple(group.by(figure) for group in self.groups))

    @property
    def cells(self) -> tuple[Measured, ...]:
        """All cells, limit by limit."""
        return tuple(each for group in self.groups for each in group.cells)

    @property
    def ok(self) -> tuple[Measured, ...]:
        """All cells whose figures count."""
        return tuple(each for group in self.groups for each in group.ok)


def workloads(run: Run, measured: Iterable[Measured]) -> tuple[Workload, ...]:
    """Group the cells of a run."""
    ordered = sorted(measured, key=lambda each: (*_workload(each), *_limit(each), *_place(each)))
    return tuple(
        Workload(model, batch, tuple(_limit_groups(run, cells)))
        for (model, batch), cells in groupby(ordered, key=_workload)
    )


def _limit_groups(run: Run, cells: Iterable[Measured]) -> Iterable[LimitGroup]:
    for limit, found in groupby(cells, key=_limit):
        names = tuple(name for name, device in run.devices.items() if device == limit)
        yield LimitGroup(limit, names, tuple(found))


def _workload(measured: Measured) -> tuple[str, int]:
    return measured.result.cell.model, measured.result.cell.batch


def _limit(measured: Measured) -> Limit:
    return measured.result.cell.cpus, measured.result.cell.memory_bytes


def _place(measured: Measured) -> tuple[bool, float, str]:
    return (
        *_smallest(measured, lambda stats: value_of(stats.p50_ms)),
        measured.result.cell.framework,
    )


def _smallest(measured: Measured, figure: Figure) -> tuple[bool, float]:
    found = figure(measured.stats) if measured.ok else None
    return not measured.ok, math.inf if found is None else found
