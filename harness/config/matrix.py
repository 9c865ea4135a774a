"""A matrix as the rest of the harness sees it: resolved, frozen, in plain units."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.results import Cell, CpuMode, Expectation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.config.schema import MatrixFile
    from harness.results import ThreadOption
    from harness.runs import Framework, Protocol, Task


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
    sequence: tuple[int, ...]
    """Of models that have sequences; empty for their usual length."""
    usual_sequence: Mapping[str, int | None]
    """Of each model that has sequences."""
    cpu_modes: tuple[CpuMode, ...]
    """Of whole CPUs."""
    threads: tuple[ThreadOption, ...]

    def __len__(self) -> int:
        """How many cells it holds at most: a fraction of a CPU has one mode only."""
        axes = (self.frameworks, self.limits, self.batch, self.cpu_modes, self.threads)
        return math.prod(len(axis) for axis in axes) * sum(len(self.lengths(model)) for model in self.models)

    def lengths(self, model: str) -> tuple[int | None, ...]:
        """The sequence lengths at which it has a model."""
        if model not in self.usual_sequence:
            return (None,)
        return self.sequence or (self.usual_sequence[model],)

    def cells(self) -> Iterator[Cell]:
        """Its cells, those that readers compare next to each other; an axis of what stands first changes last."""
        axes = product(self.models, self.limits, self.cpu_modes, self.threads, self.frameworks, self.batch)
        for model, limits, mode, threads, framework, batch in axes:
            whole = limits.cpus == int(limits.cpus)
            for sequence in self.lengths(model):
                yield Cell(
                    framework=framework,
                    model=model,
                    batch=batch,
                    sequence=sequence,
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
    sequence: frozenset[int]
    """Empty for all, also those without one."""
    cpu_modes: frozenset[CpuMode]
    threads: frozenset[ThreadOption]

    def matches(self, cell: Cell) -> bool:
        """Whether a cell is among them."""
        return (
            cell.framework in self.frameworks
            and cell.model in self.models
            and Limits(cell.cpus, cell.memory_bytes) in self.limits
            and cell.batch in self.batch
            and (not self.sequence or cell.sequence in self.sequence)
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
class OwnModel:
    """A model that is a user's own ONNX file.

    Attributes:
        file: where it is.
        dims: what its dynamic dimensions stand for, by their names in the file.
        ranges: from which to draw an input, low up to and without high, by the input's name.
        tolerance: largest relative error allowed; `None` for what the file's own precision justifies.
        task: see `Task`.
    """

    file: Path
    dims: Mapping[str, int | str]
    ranges: Mapping[str, tuple[float, float]]
    tolerance: float | None
    task: Task


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One matrix file, checked against the known frameworks and models."""

    name: str
    """The file's name without its suffix."""
    crossed: Block
    included: tuple[Block, ...]
    excluded: tuple[Exclusion, ...]
    expected: tuple[Expected, ...]
    frameworks: dict[str, Framework]
    """What each name of a framework stands for."""
    own_models: dict[str, OwnModel]
    """The user's own ONNX files, by the name of the model."""
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
        for key, definitions in (("frameworks", "variants"), ("models", "own_models")):
            if defined := data.pop(definitions):
                data[key] = {name: _given(defined.get(name, {})) for name in data[key]}
        protocol = data["protocol"]
        if not protocol["precision"]:
            for key in ("precision", "max_trials", "max_time"):
                del protocol[key]
        for key in ("phase_timeouts", "article"):
            if not protocol[key]:
                del protocol[key]
        for rule in (*data["include"], *data["exclude"], *data["expect"]):
            for key in [key for key, value in rule.items() if not value]:
                del rule[key]
        return _given(data)


def _given(keys: dict[str, Any]) -> dict[str, Any]:
    """The keys that are not left out: those have empty defaults."""
    return {key: value for key, value in keys.items() if value}
