"""A matrix as the rest of the harness sees it: resolved, frozen, in plain units."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.results import Cell, CpuMode, Expectation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.config.schema import MatrixFile
    from harness.results import ThreadOption
    from harness.runs import Protocol


class Limits(NamedTuple):
    """What one container may use."""

    cpus: float
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of cells: every framework with every model, limit and batch size."""

    frameworks: tuple[str, ...]
    models: tuple[str, ...]
    limits: tuple[Limits, ...]
    batch: tuple[int, ...]
    cpu_modes: tuple[CpuMode, ...]
    """Of whole CPUs."""
    threads: tuple[ThreadOption, ...]

    def __len__(self) -> int:
        """How many cells it holds at most: a fraction of a CPU has one mode only."""
        axes = (self.frameworks, self.models, self.limits, self.batch, self.cpu_modes, self.threads)
        return math.prod(len(axis) for axis in axes)

    def cells(self) -> Iterator[Cell]:
        """Its cells, those that readers compare next to each other; an axis of what stands first changes last."""
        axes = product(self.models, self.limits, self.cpu_modes, self.threads, self.frameworks, self.batch)
        for model, limits, mode, threads, framework, batch in axes:
            whole = limits.cpus == int(limits.cpus)
            yield Cell(
                framework=framework,
                model=model,
                batch=batch,
                cpu_mode=mode if whole else CpuMode.QUOTA,
                threads=threads,
                **limits._asdict(),
            )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Some cells: those that have a value of each of these sets."""

    frameworks: frozenset[str]
    models: frozenset[str]
    limits: frozenset[Limits]
    batch: frozenset[int]
    cpu_modes: frozenset[CpuMode]
    threads: frozenset[ThreadOption]

    def matches(self, cell: Cell) -> bool:
        """Whether a cell is among them."""
        return (
            cell.framework in self.frameworks
            and cell.model in self.models
            and Limits(cell.cpus, cell.memory_bytes) in self.limits
            and cell.batch in self.batch
            and cell.cpu_mode in self.cpu_modes
            and cell.threads in self.threads
        )


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Cells that are left out, and why."""

    cells: Selection
    reason: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Cells that are known not to end well."""

    cells: Selection
    expectation: Expectation


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One matrix file, checked against the known frameworks and models."""

    name: str
    """The file's name without its suffix."""
    crossed: Block
    included: tuple[Block, ...]
    excluded: tuple[Exclusion, ...]
    expected: tuple[Expected, ...]
    devices: dict[str, Limits]
    """Empty where the file crosses cpus with memory."""
    over_host: Literal["skip", "refuse", "run"]
    baseline: str
    protocol: Protocol
    written: MatrixFile = field(repr=False)

    @cached_property
    def excluded_cells(self) -> dict[Cell, int]:
        """The crossed cells that are left out, and by which rule: the index of the first that matches."""
        first: dict[Cell, int] = {}
        for cell in self.crossed.cells():
            rule = next((index for index, rule in enumerate(self.excluded) if rule.cells.matches(cell)), None)
            if rule is not None:
                first[cell] = rule
        return first

    def expectation(self, cell: Cell) -> Expectation | None:
        """What is expected of a cell where that is no result; of two rules that match, the first says it."""
        return next((rule.expectation for rule in self.expected if rule.cells.matches(cell)), None)

    def resolved(self) -> dict[str, Any]:
        """The file with every default written out, as JSON values: a matrix file again."""
        data = {**self.written.model_dump(mode="json"), "baseline": self.baseline}
        protocol = data["protocol"]
        if not protocol["precision"]:
            for key in ("precision", "max_trials", "max_time"):
                del protocol[key]
        if not protocol["phase_timeouts"]:
            del protocol["phase_timeouts"]
        for rule in (*data["include"], *data["exclude"], *data["expect"]):
            for key in [key for key, value in rule.items() if not value]:
                del rule[key]
        return {key: value for key, value in data.items() if value}
