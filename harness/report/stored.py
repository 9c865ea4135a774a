"""The files that a report rests on, read and checked against each other before anything is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import StoreError
from harness.results import CellResult, Status
from harness.runs import Run, RunState
from harness.stats.cell import Measured, cell_stats
from harness.store import RunStore, read_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.results import ReferenceProbe

RESUME = "resume the run, which writes its cells anew from the trials"


def read_cells(run_dir: Path, run: Run) -> Iterator[Measured]:
    """The cells of a run with their figures, in the plan's order; files that no cell of the plan owns are left.

    Raises:
        StoreError: a file is damaged or, of a complete run, missing.
    """
    present = {path.name for path in (run_dir / "cells").glob("*.json")}
    for cell_id in run.cells:
        path = run_dir / "cells" / f"{cell_id}.json"
        if path.name in present:
            yield _read(path)
        elif run.state is RunState.COMPLETE:
            raise StoreError(f"{path} is missing, though its run is complete", fix=RESUME)


def read_probes(run_dir: Path) -> tuple[ReferenceProbe, ...]:
    """The reference probes of a run, by number; none where none were stored.

    Raises:
        StoreError: a file is damaged.
    """
    return tuple(RunStore(run_dir).read_probes().values())


def _read(path: Path) -> Measured:
    result = read_model(path, CellResult)
    try:
        _check(result, path.stem)
        return Measured(result=result, stats=cell_stats(result))
    except (ValueError, ArithmeticError) as error:
        raise StoreError(f"{path} is damaged: {error}", fix=RESUME) from error


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
