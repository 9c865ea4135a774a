"""The cells in the order in which people compare them: by workload, then by limit, the fastest first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from harness.report.book import is_control
from harness.report.formats import NAME_LIMIT, clip, cpus
from harness.results import CpuMode
from harness.stats.cell import CellStats
from harness.stats.intervals import value_of
from harness.units import format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.results import ThreadOption
    from harness.results import Workload as WorkloadKey
    from harness.runs import Run
    from harness.stats.cell import Measured


class Limit(NamedTuple):
    """What cells that are compared have in common: what they may use, and what they are told."""

    cpus: float
    memory_bytes: int
    cpu_mode: CpuMode = CpuMode.CPUSET
    threads: ThreadOption = "match"

    @property
    def title(self) -> str:
        """The limit as people say it, such as `2 cores, 512 MiB`."""
        told = "" if self.threads == "match" else f", threads {self.threads}"
        return f"{cpus(self.cpus, self.cpu_mode)}, {format_memory(self.memory_bytes)}{told}"

    @property
    def order(self) -> tuple[float, int, CpuMode, bool, str]:
        """Its place among others; thread options are numbers and words, the usual one first."""
        return *self[:3], self.threads != "match", str(self.threads)


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
        return self.limit.title

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
    """One model at one size of a call: what frameworks are compared on."""

    key: WorkloadKey
    groups: tuple[LimitGroup, ...]

    def by(self, figure: Figure) -> Workload:
        """The same cells, under each limit with the smallest figure first."""
        return replace(self, groups=tuple(group.by(figure) for group in self.groups))

    def on_whole_cores(self, limit: Limit) -> LimitGroup | None:
        """The cells under a limit that has as many whole cores where this one has a quota, and is the same else."""
        wanted = limit._replace(cpu_mode=CpuMode.CPUSET)
        return next((group for group in self.groups if group.limit == wanted), None)

    @property
    def model(self) -> str:
        """The model's name."""
        return self.key.model

    @property
    def title(self) -> str:
        """The workload in words."""
        return workload_title(self.key)

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
    compared = (each for each in measured if not is_control(each))
    ordered = sorted(compared, key=lambda each: (*_workload(each), *limit_of(each).order, *_place(each)))
    return tuple(
        Workload(key, tuple(_limit_groups(run, cells))) for key, cells in groupby(ordered, key=_workload)
    )


def _limit_groups(run: Run, cells: Iterable[Measured]) -> Iterable[LimitGroup]:
    for limit, found in groupby(cells, key=limit_of):
        names = tuple(name for name, device in run.devices.items() if device == limit[:2])
        yield LimitGroup(limit, names, tuple(found))


def _workload(measured: Measured) -> WorkloadKey:
    return measured.result.cell.workload


def workload_title(key: WorkloadKey) -> str:
    """A model with the sizes of a call, such as `distilbert, batch 1, sequence 128`."""
    model, batch, sequence = key
    return f"{clip(model, NAME_LIMIT)}, batch {batch}" + (f", sequence {sequence}" if sequence else "")


def limit_of(measured: Measured) -> Limit:
    """The limit that a cell ran under."""
    cell = measured.result.cell
    return Limit(cell.cpus, cell.memory_bytes, cell.cpu_mode, cell.threads)


def _place(measured: Measured) -> tuple[bool, float, str]:
    return (
        *_smallest(measured, lambda stats: value_of(stats.p50_ms)),
        measured.result.cell.framework,
    )


def _smallest(measured: Measured, figure: Figure) -> tuple[bool, float]:
    found = figure(measured.stats) if measured.ok else None
    return not measured.ok, math.inf if found is None else found
