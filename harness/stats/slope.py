"""The slope of a cell's memory over its calls: the figure alone. `growth.py` also tells whether it grows."""

from __future__ import annotations

from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.records import Growth
from harness.units import MIB

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.results import Trial

LEAST_MARKS: Final = 6
SETTLING: Final = 0.25
"""Part of the marks that is left out at the start: an arena that fills is no leak."""
LEAST_GROWTH: Final = MIB
"""Over the settled marks. Linux counts a process's pages in batches, some hundred kilobytes for each thread or CPU, so
what is less may be one batch that happened to be added."""


def slope_bytes_per_call(trial: Trial) -> float | None:
    """The slope of one trial's memory, bytes a call.

    That of Theil (1950) and Sen (1968): the median of the slopes between all pairs of marks. 0 where memory changed by
    no more than `LEAST_GROWTH` in all: a step of one page in the middle of the marks lies between more than half of
    the pairs, and over few calls would be a slope of several bytes.
    """
    growth = trial.find(Growth)
    marks = settled_marks(growth) if growth is not None else None
    if marks is None:
        return None
    calls, memory = marks
    earlier, later = _pairs(calls.size)
    apart, grown = calls[later] - calls[earlier], memory[later] - memory[earlier]
    slopes: list[float] = (grown[apart > 0] / apart[apart > 0]).tolist()
    slope = median(slopes)
    return slope if abs(slope) * float(calls[-1] - calls[0]) > LEAST_GROWTH else 0.0


@cache
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All pairs of so many marks."""
    return np.triu_indices(count, 1)


def settled_marks(growth: Growth) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Calls and memory once it has settled; `None` with too few marks."""
    first = int(len(growth.calls) * SETTLING)
    calls, memory = np.asarray(growth.calls[first:], float), np.asarray(growth.anon_bytes[first:], float)
    if calls.size < LEAST_MARKS or calls[0] == calls[-1]:
        return None
    return calls, memory
