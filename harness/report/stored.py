"""The files that a report rests on, read and checked against each other before anything is made of them."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from harness.errors import StoreError
from harness.events import told, unheard
from harness.results import Cell, CellResult, Status
from harness.runs import Run, RunState
from harness.stats.cell import Measured, cell_stats
from harness.store import RunStore, read_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.events import Listener
    from harness.results import ReferenceProbe

RESUME: Final = "run its command again: it goes on with the run, and writes its cells anew from the trials"
RESTORE: Final = "restore the file from a copy, or measure again: edgematrix run --force"
"""Nothing makes the cells of a complete run from its trials."""


class CellHead(BaseModel):
    """What a cell's file says of the cell itself."""

    cell: Cell


def read_cells(
    run_dir: Path, run: Run, cell_ids: Iterable[str] | None = None, listener: Listener = unheard
) -> Iterator[Measured]:
    """The cells of a run with their figures, in the plan's order; files that no cell of the plan owns are left.

    Args:
        run_dir: `reports/<run-id>`.
        run: its record.
        cell_ids: only these cells.
        listener: is told how far it is, where it takes long.

    Raises:
        StoreError: a file is damaged or, of a complete run, missing.
    """
    files = _files(run_dir, run, run.cells if cell_ids is None else cell_ids)
    yield from told(
        map(partial(_read, run), files),
        len(run.cells),
        subject=f"run {run.run_id}",
        doing="reading",
        listener=listener,
    )


def cells_by_model(run_dir: Path, run: Run, listener: Listener) -> dict[str, tuple[str, ...]]:
    """The ids of a run's cells by the names of their models, in their order; the cells in the plan's.

    Raises:
        StoreError: a file is damaged or, of a complete run, missing.
    """
    found: dict[str, list[str]] = {}
    files = _files(run_dir, run, run.cells)
    for path in told(
        files, len(run.cells), subject=f"run {run.run_id}", doing="looking through", listener=listener
    ):
        found.setdefault(read_model(path, CellHead).cell.model, []).append(path.stem)
    return {model: tuple(found[model]) for model in sorted(found)}


def _files(run_dir: Path, run: Run, cell_ids: Iterable[str]) -> Iterator[Path]:
    """The files of these cells."""
    folder = run_dir / "cells"
    present = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
    for cell_id in cell_ids:
        path = folder / f"{cell_id}.json"
        if path.name in present:
            yield path
        elif run.state is RunState.COMPLETE:
            raise StoreError(f"{path} is missing, though its run is complete", fix=RESTORE)


def read_probes(run_dir: Path) -> tuple[ReferenceProbe, ...]:
    """The reference probes of a run, by number; none where none were stored.

    Raises:
        StoreError: a file is damaged.
    """
    return tuple(RunStore(run_dir).read_probes().values())


def _read(run: Run, path: Path) -> Measured:
    result = read_model(path, CellResult)
    try:
        _check(result, path.stem)
        return Measured(result=result, stats=cell_stats(result))
    except (ValueError, ArithmeticError) as error:
        fix = RESTORE if run.state is RunState.COMPLETE else RESUME
        raise StoreError(f"{path} is damaged: {error}", fix=fix) from error


def _check(result: CellResult, name: str) -> None:
    """Refuse a file whose parts contradict each other: it would put figures beside the wrong name.

    Raises:
        ValueError: they do.
    """
    if not name == result.cell_id == result.cell.id:
        raise ValueError(f"it holds cell {result.cell.id}")
    if any(trial.cell_id != result.cell_id for trial in result.trials):
        raise ValueError("it holds a trial of another cell")
    if len({trial.key for trial in result.trials}) != len(result.trials):
        raise ValueError("it holds a trial twice")
    states = {trial.status for trial in result.counted}
    if result.status is Status.OK and states != {Status.OK}:
        raise ValueError("it is ok without being so in every trial")
