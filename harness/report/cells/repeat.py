"""How to measure one cell again: the commands, and what has to be the same for the figures to compare."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.formats import UNKNOWN, clip, distinct
from harness.results import NULL_FRAMEWORK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.provenance import Facts
    from harness.results import Cell
    from harness.runs import Run
    from harness.stats.cell import Measured


@dataclass(frozen=True)
class Repeat:
    """How to repeat a cell."""

    commands: tuple[str, ...]
    facts: Facts
    """Of what has to be the same."""
    notes: tuple[str, ...]


def repeat(run: Run, measured: Measured, cells: Sequence[Cell]) -> Repeat:
    """How to repeat a cell of a run.

    Args:
        run: the run.
        measured: the cell.
        cells: all cells of the run: a control is measured beside one of them.
    """
    asked = _asked_for(measured.result.cell, cells)
    alone = not (run.quick and _is_between(asked, cells))
    return Repeat(
        commands=tuple(_commands(run, asked, alone=alone)),
        facts=_facts(run, measured),
        notes=tuple(_notes(run, measured.result.cell, asked, alone=alone)),
    )


def _is_between(cell: Cell, cells: Sequence[Cell]) -> bool:
    """Whether a workload has smaller and larger limits: in a quick look only where the host is too small for one."""
    limits = [(each.cpus, each.memory_bytes) for each in cells if each.workload == cell.workload]
    return min(limits) < (cell.cpus, cell.memory_bytes) < max(limits)


def _asked_for(cell: Cell, cells: Sequence[Cell]) -> Cell:
    """The cell to select: a control is none of the matrix, but comes with any cell that it controls."""
    if not cell.is_floor and not cell.twin:
        return cell
    beside = (
        each
        for each in cells
        if not each.is_floor
        and not each.twin
        and each.model_copy(update={"framework": cell.framework, "twin": cell.twin}) == cell
        and (cell.is_floor or each.framework == cell.framework)
    )
    return next(beside, cell)


def _commands(run: Run, cell: Cell, *, alone: bool) -> Iterator[str]:
    if run.git_commit:
        yield f"git checkout {shlex.quote(run.git_commit)}"
    quick = " --quick" if run.quick else ""
    only = f" --only {_quoted(cell.id)}" if alone else ""
    yield f"edgematrix run {shlex.quote(run.matrix_path or run.matrix_name)}{quick} --force{only}"
    yield f"edgematrix compare {shlex.quote(run.run_id)} latest"


def _quoted(cell_id: str) -> str:
    """An id in quotes even where the shell needs none: it stands where a pattern may."""
    return shlex.quote(cell_id) if shlex.quote(cell_id) != cell_id else f"'{cell_id}'"


def _facts(run: Run, measured: Measured) -> Facts:
    result = measured.result
    model = run.models.get(result.cell.model)
    version = f"{clip(run.harness_version)}{' with uncommitted changes' if run.git_dirty else ''}"
    return (
        ("edgematrix", version),
        ("commit", clip(run.git_commit or UNKNOWN)),
        ("seed", str(run.protocol.seed)),
        ("planned trials", str(result.planned_trials)),
        ("framework's version", clip(measured.stats.framework_version or UNKNOWN)),
        ("image", clip(distinct(trial.image_id for trial in result.trials))),
        ("built from", clip(distinct(trial.image_fingerprint for trial in result.trials))),
        ("model", clip(model.hash) if model else UNKNOWN),
        ("host", clip(run.host.fingerprint)),
    )


def _notes(run: Run, cell: Cell, asked: Cell, *, alone: bool) -> Iterator[str]:
    yield (
        "The matrix file is the one of this run; as it was resolved, it stands on the run's page. An image that is "
        "built anew has another id: what has to be the same is what it is built from, and compare says so where it "
        "is not."
    )
    if run.matrix_path is None:
        yield (
            "Where the matrix file lies is not stored: it was not below the folder that the command was typed in, or "
            "the run is an older one. The command has its name alone."
        )
    yield (
        "Measured alone, the cell has its controls and its rounds for itself: its neighbours in the order of trials "
        "are others than here."
        if alone
        else "The cell stands for one that is larger than the host, which no quick look can be asked for by name: the "
        "command repeats the whole look."
    )
    if run.git_dirty:
        yield "The commit had changes that were not committed, and nobody kept them: the code may differ."
    if cell.framework == NULL_FRAMEWORK or cell.twin:
        yield f"This cell is a control: it is measured beside {clip(asked.id)}, with the same command."
