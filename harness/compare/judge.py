"""From two stored runs to a verdict on every cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.compare.machine import shifts
from harness.compare.refuse import Kind, Mismatch, mismatches, refuse
from harness.compare.rows import Needs, Row, decide, pair_up
from harness.errors import ConfigError, NotComparableError
from harness.events import unheard
from harness.report.formats import visible
from harness.report.stored import read_cells
from harness.runs import RunState
from harness.stats.noise import Aim, by_round, floors, group_floors
from harness.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.compare.machine import Shift
    from harness.events import Listener
    from harness.results import ReferenceProbe
    from harness.runs import Run
    from harness.stats.cell import Measured

THRESHOLD: Final = 0.05
"""The difference that counts by default, as a part."""
LEAST_PAIRS: Final = 5
"""Identical pairs that the A/A floor of cells of one kind has to rest on; with fewer that of the whole run counts. One
pair's floor is 12.7 times its difference: where a matrix has one framework, a slowdown of 20 % at a spread of 3 % was
then found in a third of simulated runs of five trials, and by the whole run's floor in all of them."""


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What the user says of a comparison.

    Attributes:
        aim: the figure that is judged.
        threshold: the smallest difference that counts, as a part such as 0.05.
        allowed: the differences between the runs that are meant.

    Raises:
        ConfigError: the threshold is no number from 0 on.
    """

    aim: Aim = Aim.LATENCY
    threshold: float = THRESHOLD
    allowed: Collection[Kind] = ()

    def __post_init__(self) -> None:
        """Refuse a threshold that would find nothing, for ever."""
        if not (math.isfinite(self.threshold) and self.threshold >= 0):
            raise ConfigError(
                f"a threshold of {self.threshold:g} cannot be met", fix="give a percentage from 0 on"
            )


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two runs side by side."""

    base: Run
    new: Run
    aim: Aim
    rows: tuple[Row, ...]
    threshold: float
    """The user's, a part."""
    aa_floors: tuple[float | None, ...]
    """Of the base and of the new run as a whole, logarithms; each cell has its own in its figures."""
    notes: tuple[str, ...]
    """What a reader has to know: differences that were meant, runs that are not complete."""

    @property
    def regressed(self) -> bool:
        """Whether any cell became worse or failed."""
        return any(row.is_regression for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One run as it is read."""

    run: Run
    cells: tuple[Measured, ...]
    probes: Mapping[int, ReferenceProbe]


def compare_runs(
    base: Path, new: Path, options: CompareOptions | None = None, listener: Listener = unheard
) -> Compared:
    """Compare two runs.

    Args:
        base: the folder of the run that was before.
        new: the folder of the run that is judged.
        options: how.
        listener: is told how far the reading is, where it takes long.

    Raises:
        StoreError: a run cannot be read.
        NotComparableError: they are no two measurements of the same, or have no cell in common.
    """
    return compare_sides(read_side(base, listener), read_side(new, listener), options)


def compare_sides(base: Side, new: Side, options: CompareOptions | None = None) -> Compared:
    """Compare two runs that are read already.

    Raises:
        NotComparableError: they are no two measurements of the same, or have no cell in common.
    """
    options = options or CompareOptions()
    sides = base, new
    rows = pair_up(base.cells, new.cells)
    if not any(row.base is not None and row.new is not None for row in rows):
        raise NotComparableError(
            "these runs have no cell in common",
            why="; ".join(f"{side.run.run_id} has {_some(side.cells)}" for side in sides),
            fix="compare runs of the same matrix",
        )
    differing = mismatches(base.run, new.run, rows)
    refuse(differing, options.allowed)
    whole = [floors(_sound(side.cells))[options.aim] for side in sides]
    return Compared(
        base=base.run,
        new=new.run,
        aim=options.aim,
        rows=judge(rows, sides, options),
        threshold=options.threshold,
        aa_floors=tuple(None if floor is None else floor.log_ratio for floor in whole),
        notes=tuple(_notes(base.run, new.run, differing)),
    )


def read_side(folder: Path, listener: Listener = unheard) -> Side:
    """Read a run.

    Raises:
        StoreError: it cannot be read.
    """
    store = RunStore(folder)
    run = store.read_run()
    return Side(run=run, cells=tuple(read_cells(folder, run, listener=listener)), probes=store.read_probes())


def judge(rows: Sequence[Row], sides: tuple[Side, Side], options: CompareOptions) -> tuple[Row, ...]:
    """Give every row its figures, and the verdict on the one that is judged. Pure."""
    smallest = math.log1p(options.threshold)
    moved = shifts(rows, sides[0].probes, sides[1].probes)
    figures = {aim: decide(rows, aim, _needs(rows, sides, aim, smallest, moved)) for aim in Aim}
    judged = []
    for row in rows:
        own = {aim: found[row.cell_id] for aim, found in figures.items() if row.cell_id in found}
        with_figures = replace(row, figures=own, shift=moved.get(row.cell_id))
        if (figure := own.get(options.aim)) is not None:
            with_figures = replace(with_figures, verdict=figure.verdict, reason=figure.reason)
        judged.append(with_figures)
    return tuple(judged)


def _needs(
    rows: Iterable[Row],
    sides: tuple[Side, Side],
    aim: Aim,
    smallest: float,
    moved: Mapping[str, Shift | None],
) -> dict[str, Needs]:
    """What a difference of each cell needs to count: memory does not follow the machine's speed."""
    known = [aa_floors(side.cells, aim) for side in sides]
    needs = {}
    for row in rows:
        shift = moved.get(row.cell_id) if aim is not Aim.MEMORY else None
        own = [found[row.cell_id] for found in known if row.cell_id in found]
        needs[row.cell_id] = Needs(threshold=smallest, aa_floor=max(own, default=0.0), shift=shift)
    return needs


def aa_floors(cells: Sequence[Measured], aim: Aim) -> dict[str, float]:
    """The A/A floor that counts for each cell of a run, a logarithm: of its kind, or of the run where that is thin.

    Returns:
        By cell id; nothing where no cell has two trials.
    """
    sound = _sound(cells)
    whole = floors(sound)[aim]
    if whole is None:
        return {}
    of_kind = group_floors(sound, aim)
    return {
        each.result.cell_id: found.log_ratio
        if (found := of_kind.get(each.result.cell_id)) is not None and found.pairs >= LEAST_PAIRS
        else whole.log_ratio
        for each in cells
    }


def _sound(cells: Iterable[Measured]) -> list[Measured]:
    """The cells whose figures have logarithms: a floor is made of ratios."""
    return [
        each
        for each in cells
        if all(value > 0 for aim in Aim for value in by_round(each.stats, aim).values())
    ]


def _notes(base: Run, new: Run, found: Sequence[Mismatch]) -> Iterable[str]:
    if base == new:
        yield f"run {base.run_id} is compared with itself"
    for run in (base,) if base == new else (base, new):
        if run.state is not RunState.COMPLETE:
            yield f"run {run.run_id} is {run.state}: cells may be missing, or have fewer trials"
    for mismatch in found:
        yield f"different as meant: {mismatch.text}"


def _some(cells: Sequence[Measured]) -> str:
    """The first of some cells, and how many more there are."""
    ids = [visible(each.result.cell_id) for each in cells]
    return (", ".join(ids[:3]) or "no cell") + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
