"""A matrix as the rest of the harness sees it: resolved, frozen, in plain units."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.results import Cell, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.config.schema import MatrixFile


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

    def __len__(self) -> int:
        """How many cells it holds."""
        return len(self.frameworks) * len(self.models) * len(self.limits) * len(self.batch)

    def cells(self) -> Iterator[Cell]:
        """Its cells, those that readers compare next to each other: by model, limits, framework, batch."""
        for model, limits, framework, batch in product(self.models, self.limits, self.frameworks, self.batch):
            yield Cell(framework=framework, model=model, batch=batch, **limits._asdict())


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """Cells that are left out, and why: those that have a value of each of these sets."""

    frameworks: frozenset[str]
    models: frozenset[str]
    limits: frozenset[Limits]
    batch: frozenset[int]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One matrix file, checked against the known frameworks and models."""

    name: str
    """The file's name without its suffix."""
    crossed: Block
    included: tuple[Block, ...]
    excluded: tuple[Exclusion, ...]
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
            limits = Limits(cell.cpus, cell.memory_bytes)
            framework, model, batch = cell.framework, cell.model, cell.batch
            for index, rule in enumerate(self.excluded):
                if (
                    framework in rule.frameworks
                    and limits in rule.limits
                    and batch in rule.batch
                    and model in rule.models
                ):
                    first[cell] = index
                    break
        return first

    def resolved(self) -> dict[str, Any]:
        """The file with every default written out, as JSON values: a matrix file again."""
        data = {**self.written.model_dump(mode="json"), "baseline": self.baseline}
        for rule in (*data["include"], *data["exclude"]):
            for key in [key for key, value in rule.items() if not value]:
                del rule[key]
        return {key: value for key, value in data.items() if value}
