"""From two stored runs to a verdict on every cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.compare.refuse import Kind, Mismatch, mismatches, refuse
from harness.compare.rows import Row, decide, pair_up
from harness.errors import NotComparableError
from harness.fitness import same_cpus
from harness.report.stored import read_cells
from harness.results import RunState
from harness.stats.noise import Aim, floors, group_floors
from harness.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.results import ReferenceProbe, Requested, Run
    from harness.stats.cell import Measured
    from harness.stats.floor import Floor

THRESHOLD: Final = 0.05
"""The difference that counts by default, as a part."""


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What the user says of a comparison.

    Attributes:
        aim: the figure that is judged.
        threshold: the smallest difference that counts, as a part such as 0.05.
        allowed: the differences between the runs that are meant.
    """

    aim: Aim = Aim.LATENCY
    threshold: float = THRESHOLD
    allowed: Collection[Kind] = ()


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two runs side by side."""

    base: Run
    new: Run
    aim: Aim
    rows: tuple[Row, ...]
    threshold: float
    """The user's, a part."""
    aa_floors: tuple[float, ...]
    """Of the base and of the new run as a whole, logarithms; each cell has that of its own kind in `Row.floor`."""
    notes: tuple[str, ...]
    """What a reader has to know: differences that were meant, runs that are not complete."""

    @property
    def regressed(self) -> bool:
        """Whether any cell became worse or failed."""
        return any(row.is_regression for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One run as it is stored."""

    run: Run
    cells: tuple[Measured, ...]
    probes: Mapping[int, ReferenceProbe]


def compare_runs(base: Path, new: Path, options: CompareOptions | None = None) -> Compared:
    """Compare two runs.

    Args:
        base: the folder of the run that was before.
        new: the folder of the run that is judged.
        options: how.

    Raises:
        StoreError: a run cannot be read.
        NotComparableError: they are no two measurements of the same, or have no cell in common.
    """
    options = options or CompareOptions()
    first, second = _read(base), _read(new)
    rows = pair_up(first.cells, second.cells, options.aim)
    if not any(row.base is not None and row.new is not None for row in rows):
        raise NotComparableError(
            "these runs have no cell in common",
            why=f"{first.run.run_id} has {len(first.cells)} cells, {second.run.run_id} has {len(second.cells)} others",
            fix="compare runs of the same matrix",
        )
    differing = mismatches(first.run, second.run, rows)
    refuse(differing, options.allowed)
    known = [group_floors(side.cells, options.aim) for side in (first, second)]
    smallest = math.log(1 + options.threshold)
    by_cell = {
        row.cell_id: max(smallest, *(_log_ratio(found.get(row.cell_id)) for found in known))
        + _shift_of(row, first.probes, second.probes)
        for row in rows
    }
    return Compared(
        base=first.run,
        new=second.run,
        aim=options.aim,
        rows=decide(rows, by_cell, smallest),
        threshold=options.threshold,
        aa_floors=tuple(_log_ratio(floors(side.cells)[options.aim]) for side in (first, second)),
        notes=tuple(_notes((first.run, second.run), differing)),
    )


def machine_shift(
    requested: Requested, base: Mapping[int, ReferenceProbe], new: Mapping[int, ReferenceProbe]
) -> float:
    """By how much the machine itself changed between two runs on some CPUs, as the reference probes say.

    Two runs are not interleaved: what the machine explains is no change of a cell.

    Returns:
        The larger of the changes of the matrix product and of the interpreter's loop, as the absolute logarithm of the
        ratio of their medians over the runs; 0 where a run has no probe there.
    """
    sides = [
        [probe for probe in probes.values() if same_cpus(probe.requested, requested)]
        for probes in (base, new)
    ]
    if not all(sides):
        return 0.0
    shifts = (
        abs(
            math.log(
                _median(probe.matmul_ns for probe in sides[1])
                / _median(probe.matmul_ns for probe in sides[0])
            )
        ),
        abs(
            math.log(
                _median(probe.loop_ns for probe in sides[1]) / _median(probe.loop_ns for probe in sides[0])
            )
        ),
    )
    return max(shifts)


def _read(folder: Path) -> _Side:
    store = RunStore(folder)
    run = store.read_run()
    return _Side(run=run, cells=tuple(read_cells(folder, run)), probes=store.read_probes())


def _median(times: Iterable[Sequence[int]]) -> float:
    return float(np.median([np.median(found) for found in times]))


def _shift_of(row: Row, base: Mapping[int, ReferenceProbe], new: Mapping[int, ReferenceProbe]) -> float:
    if row.base is None or not row.base.result.trials:
        return 0.0
    return machine_shift(row.base.result.trials[0].requested, base, new)


def _log_ratio(floor: Floor | None) -> float:
    return 0.0 if floor is None else floor.log_ratio


def _notes(runs: Sequence[Run], found: Sequence[Mismatch]) -> Iterable[str]:
    for run in runs:
        if run.state is not RunState.COMPLETE:
            yield f"run {run.run_id} is {run.state}: cells may be missing, or have fewer trials"
    for mismatch in found:
        yield f"different as meant: {mismatch.text}"
