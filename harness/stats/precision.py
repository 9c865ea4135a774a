"""When a cell has had enough trials: the stopping rule, pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.results import StoppedBy
from harness.stats.intervals import geometric_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results import Cell
    from harness.runs import Protocol


def half_width(medians: Sequence[float], planned: int) -> float | None:
    """Half the width of the interval of a cell's median, on its wider side, over the median.

    Args:
        medians: one a trial.
        planned: trials that the cell had to have; see `geometric_interval`.

    Returns:
        `None` while there are no bounds.
    """
    found = geometric_interval(medians, planned=planned)
    return None if found is None else found.half_width


def choose_cells(
    medians: Mapping[Cell, Sequence[float]], protocol: Protocol, spent_s: float
) -> tuple[Cell, ...]:
    """The cells that get a trial in the next round beyond the planned ones.

    Args:
        medians: of each cell that may get more trials, one a trial.
        protocol: what precision is asked for, and the budget.
        spent_s: time of measuring so far, seconds.

    Returns:
        Of the cells that are not precise enough the half that a further trial narrows most, as the variance stands;
        none when all are precise enough or the budget is spent.
    """
    if protocol.precision is None or (protocol.max_time_s is not None and spent_s >= protocol.max_time_s):
        return ()
    open_cells = [
        cell
        for cell, found in medians.items()
        if len(found) < protocol.max_trials and stopped_by(found, protocol) is not StoppedBy.PRECISION
    ]
    ranked = sorted(open_cells, key=lambda cell: _narrowing(medians[cell], protocol.trials), reverse=True)
    return tuple(ranked[: -(-len(ranked) // 2)])


def stopped_by(medians: Sequence[float], protocol: Protocol) -> StoppedBy:
    """Why no more trials were spent on a cell."""
    if protocol.precision is None:
        return StoppedBy.TRIALS
    width = half_width(medians, protocol.trials)
    if width is not None and width <= protocol.precision:
        return StoppedBy.PRECISION
    return StoppedBy.TRIALS if len(medians) >= protocol.max_trials else StoppedBy.TIME


def _narrowing(medians: Sequence[float], planned: int) -> float:
    """By how much one more trial narrows the interval if the variance stays; without an interval, before all others."""
    width = half_width(medians, planned)
    if width is None:
        return float("inf")
    return width * (1 - math.sqrt(len(medians) / (len(medians) + 1)))
