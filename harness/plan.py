"""The cells of a matrix, in order, with those that are skipped and why: pure functions, no engine needed."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from harness.cores import excess_of_kind
from harness.errors import ConfigError, EdgematrixError
from harness.results import NULL_FRAMEWORK, CpuMode
from harness.units import format_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.config import Matrix
    from harness.host import LogicalCpu
    from harness.results import Cell, Workload
    from harness.runs import Protocol

NEAREST: Final = 3
"""How many ids, or cells, a message names."""
LONGEST_PATTERN: Final = 100
"""From here on a message cuts a pattern."""


@dataclass(frozen=True, kw_only=True)
class PlannedCell:
    """One cell to draw, and to measure unless there is a reason not to."""

    cell: Cell
    skip_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run measures: cells in a stable order, each once, and how."""

    cells: tuple[PlannedCell, ...]
    protocol: Protocol

    @property
    def plan_hash(self) -> str:
        """SHA-256 of the cells, which of them are skipped, and the protocol; not of the reasons' words."""
        content = {
            "cells": [
                [planned.cell.model_dump(mode="json"), planned.skip_reason is None] for planned in self.cells
            ],
            "protocol": self.protocol.model_dump(mode="json"),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Row(TypedDict):
    """One planned cell, for a table or as JSON; without a `skip_reason` it is measured."""

    id: str
    framework: str
    model: str
    cpus: float
    memory_bytes: int
    batch: int
    sequence: int | None
    """Null for a model without sequences."""
    cpu_mode: CpuMode
    threads: int | None
    """What the framework is told; null where it is told nothing."""
    skip_reason: str | None


def make_plan(matrix: Matrix) -> Plan:
    """List the cells of a matrix.

    Crossed cells come first, by model, limits, framework and batch; excluded ones stay in their places with
    their reason, because the report draws them. Included ones follow, unless they are there already; a cell
    that is both excluded and included runs.
    """
    included = dict.fromkeys(cell for block in matrix.included for cell in block.cells())
    crossed = dict.fromkeys(matrix.crossed.cells())
    reasons = {
        cell: matrix.excluded[rule].reason
        for cell, rule in matrix.excluded_cells.items()
        if cell not in included
    }
    cells = tuple(PlannedCell(cell=cell, skip_reason=reasons.get(cell)) for cell in crossed | included)
    return Plan(cells=_each_once(cells), protocol=matrix.protocol)


def with_controls(plan: Plan, baseline: str) -> Plan:
    """Add the cells that a run measures to judge its own figures by.

    The *floor*: for each model and size of a call one cell of the null framework, whose latency is that of the clock
    and the call around it; none where the plan has such cells, even if they are skipped. The *twin*: one cell a second
    time, so that two identical cells are interleaved with all the others.
    Both take the limits of a cell on whole cores with matching threads where there is one.

    Args:
        plan: the cells that were asked for.
        baseline: the framework whose cell gets the twin, if it runs: under the fewest CPUs and the most memory.
    """
    running = (planned.cell for planned in plan.cells if planned.skip_reason is None)
    measured = sorted((cell for cell in running if not cell.is_floor), key=_plainness)
    # Who excludes a floor wants none instead, and that one would have the id of the cell that is drawn as skipped.
    known = {planned.cell.workload for planned in plan.cells if planned.cell.is_floor}
    floors: dict[Workload, Cell] = {}
    for cell in measured:
        if cell.workload not in known:
            floor = cell.model_copy(update={"framework": NULL_FRAMEWORK, "threads": "match"})
            floors.setdefault(cell.workload, floor)
    twins = []
    if measured and plan.protocol.trials > 1:
        smallest = min(
            measured,
            key=lambda cell: (cell.framework != baseline, *_plainness(cell), cell.cpus, -cell.memory_bytes),
        )
        twins.append(smallest.model_copy(update={"twin": True}))
    controls = tuple(PlannedCell(cell=cell) for cell in (*floors.values(), *twins))
    return replace(plan, cells=_each_once((*plan.cells, *controls)))


def _each_once(cells: tuple[PlannedCell, ...]) -> tuple[PlannedCell, ...]:
    assert len({planned.cell.id for planned in cells}) == len(cells), "two cells have one id"
    return cells


def _plainness(cell: Cell) -> tuple[bool, bool]:
    """Whole cores and as many threads come before quotas and other thread options."""
    return cell.cpu_mode is not CpuMode.CPUSET, cell.threads != "match"


def against_host(
    plan: Plan,
    *,
    topology: Sequence[LogicalCpu],
    host_memory_bytes: int,
    over_host: Literal["skip", "refuse", "run"],
) -> Plan:
    """Decide on the cells that ask for more than the host has.

    Args:
        plan: the cells.
        topology: the logical CPUs that a container may use.
        host_memory_bytes: the host's memory; an "8 GB" machine shows about 7.7 GiB.
        over_host: `skip` gives them a reason, `refuse` raises, `run` leaves them as they are.

    Raises:
        EdgematrixError: there are such cells, and `over_host` is `refuse`.
    """
    if over_host == "run":
        return plan
    host_cpus = len(topology)
    cells = tuple(
        planned
        if planned.skip_reason is not None
        else replace(
            planned,
            skip_reason=_over(planned.cell, host_cpus, host_memory_bytes)
            or excess_of_kind(planned.cell, topology),
        )
        for planned in plan.cells
    )
    over = [new for old, new in zip(plan.cells, cells, strict=True) if new != old]
    if over and over_host == "refuse":
        named = "; ".join(f"{planned.cell.id} {planned.skip_reason}" for planned in over[:NEAREST])
        raise EdgematrixError(
            f"{len(over)} of {len(cells)} cells ask for more than the host has",
            why=named + (" ..." if len(over) > NEAREST else ""),
            fix="lower their limits, leave them out with --skip, or write `over_host: skip` to draw them",
        )
    return replace(plan, cells=cells)


def select(plan: Plan, only: Sequence[str], skip: Sequence[str], *, quick_of: Plan | None = None) -> Plan:
    """Keep the cells whose ids match, by glob.

    Args:
        plan: the cells.
        only: keep what any of these matches; all when empty.
        skip: drop what any of these matches.
        quick_of: the whole plan, where these cells are a quick look at it.

    Raises:
        ConfigError: a selector matches nothing, or nothing is left.
    """
    ids = [planned.cell.id for planned in plan.cells]
    lister = "`edgematrix plan --quick --ids`" if quick_of else "`edgematrix plan --ids`"
    for option, patterns in (("--only", only), ("--skip", skip)):
        for pattern in patterns:
            if not any(fnmatchcase(cell_id, pattern) for cell_id in ids):
                _refuse_left_out(option, pattern, quick_of)
                raise _matches_nothing(option, pattern, ids, lister)
    kept = tuple(
        planned
        for planned in plan.cells
        if (not only or any(fnmatchcase(planned.cell.id, pattern) for pattern in only))
        and not any(fnmatchcase(planned.cell.id, pattern) for pattern in skip)
    )
    if not kept:
        raise ConfigError(
            "the selectors leave no cell",
            why=f"--skip {' '.join(skip)} drops all that --only {' '.join(only) or '*'} keeps",
            fix=f"drop one of them; {lister} lists them",
        )
    return replace(plan, cells=kept)


def take_shard(plan: Plan, part: int, parts: int) -> Plan:
    """One part of a plan that is run in several, on machines of the same kind.

    Cells that are ranked against each other, which is those of one model, batch and limit, stay together: a rank needs
    them in one run.

    Args:
        plan: all cells.
        part: which, from 1.
        parts: how many there are.

    Raises:
        ConfigError: there are fewer groups of cells than parts.
    """
    groups = {_ranked_together(planned.cell): None for planned in plan.cells}
    if parts > len(groups):
        raise ConfigError(
            f"--shard {part}/{parts}: the matrix has only {len(groups)} groups of cells",
            why="cells of one model, batch and limit are ranked against each other, and stay together",
            fix=f"use at most {len(groups)} shards",
        )
    mine = set(list(groups)[part - 1 :: parts])
    return replace(plan, cells=tuple(each for each in plan.cells if _ranked_together(each.cell) in mine))


def _ranked_together(cell: Cell) -> tuple[object, ...]:
    """What cells have in common that are ranked against each other."""
    return cell.workload, cell.cpus, cell.memory_bytes, cell.cpu_mode, cell.threads


def describe(plan: Plan) -> tuple[Row, ...]:
    """The plan's cells as rows, for a table and for JSON."""
    return tuple(
        Row(
            id=planned.cell.id,
            framework=planned.cell.framework,
            model=planned.cell.model,
            cpus=planned.cell.cpus,
            memory_bytes=planned.cell.memory_bytes,
            batch=planned.cell.batch,
            sequence=planned.cell.sequence,
            cpu_mode=planned.cell.cpu_mode,
            threads=planned.cell.thread_count,
            skip_reason=planned.skip_reason,
        )
        for planned in plan.cells
    )


def _over(cell: Cell, host_cpus: int, host_memory_bytes: int) -> str | None:
    """Why a host is too small for a cell, or `None`."""
    return "; ".join(_excesses(cell, host_cpus, host_memory_bytes)) or None


def _excesses(cell: Cell, host_cpus: int, host_memory_bytes: int) -> Iterator[str]:
    if cell.cpus > host_cpus:
        yield f"asks for {cell.cpus:g} CPUs, the host has {host_cpus}"
    if cell.memory_bytes > host_memory_bytes:
        asked, present = format_memory(cell.memory_bytes), format_memory(host_memory_bytes)
        if asked == present:
            asked, present = f"{cell.memory_bytes} bytes", f"{host_memory_bytes}"
        yield f"asks for {asked}, the host has {present}"


def _refuse_left_out(option: str, pattern: str, quick_of: Plan | None) -> None:
    """Say of a selector that it means only cells that a quick look leaves out, where it does.

    Raises:
        ConfigError: it does.
    """
    if quick_of and any(fnmatchcase(planned.cell.id, pattern) for planned in quick_of.cells):
        raise ConfigError(
            f"{option} {pattern!r} matches no cell of the quick look",
            why="it takes only the cells under the smallest and the largest limit of each workload",
            fix="leave --quick out, or choose among those that `edgematrix plan --quick --ids` lists",
        )


def _matches_nothing(option: str, pattern: str, ids: Sequence[str], lister: str) -> ConfigError:
    lowered = pattern.lower()[:LONGEST_PATTERN]
    near = difflib.get_close_matches(lowered.replace("*", ""), ids, n=NEAREST, cutoff=0.0)
    why = f"the nearest of {len(ids)} ids are {', '.join(near)}"
    fix = f"{lister} lists all ids; `*` stands for any text, and quotes keep the shell off it"
    if not pattern:
        why, fix = (
            "the pattern is empty",
            f"leave {option} out, or write an id; {lister} lists all",
        )
    elif "[" in pattern and "]" not in pattern.rpartition("[")[2]:
        why, fix = "its `[` is never closed", "close it, as in `*.c[12].*`, or write `*` instead"
    elif any(fnmatchcase(cell_id, lowered) for cell_id in ids):
        why, fix = "ids are in lower case", f"write {lowered!r}"
    shown = pattern if len(pattern) <= LONGEST_PATTERN else f"{pattern[:LONGEST_PATTERN]}..."
    return ConfigError(f"{option} {shown!r} matches no cell", why=why, fix=fix)
