"""A matrix as the rest of the harness sees it: resolved, frozen, in plain units."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """Cells that are left out, and why."""

    block: Block
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

    def excluded_cells(self) -> dict[Cell, str]:
        """The cells that are left out, with their reasons; where two rules match, the first gives its own."""
        reasons: dict[Cell, str] = {}
        for exclusion in self.excluded:
            for cell in exclusion.block.cells():
                reasons.setdefault(cell, exclusion.reason)
        return reasons

    def resolved(self) -> dict[str, Any]:
        """The file with every default written out, as JSON values: a matrix file again."""
        data = {**self.written.model_dump(mode="json"), "baseline": self.baseline}
        for rule in (*data["include"], *data["exclude"]):
            for key in [key for key, value in rule.items() if not value]:
                del rule[key]
        return {key: value for key, value in data.items() if value}
