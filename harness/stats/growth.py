"""Whether a cell's memory grows while it answers: the slope over the steady phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scipy import stats as distributions

from harness.stats.intervals import CONFIDENCE
from harness.stats.slope import settled_marks
from harness.units import MIB

if TYPE_CHECKING:
    from harness.records import Growth

LEAST_GROWTH: Final = MIB
"""Over the steady phase; below it the kernel's own batches of page counts are seen."""


@dataclass(frozen=True, kw_only=True)
class Slope:
    """How anonymous memory changes with the calls."""

    bytes_per_call: float
    grows: bool
    """The whole 95 % interval is above zero, and what was added is more than counting noise."""
    added_bytes: float
    """Over the calls that were looked at."""


def memory_slope(growth: Growth) -> Slope | None:
    """Fit the slope of Theil (1950) and Sen (1968), which a single step does not move.

    Returns:
        `None` with too few marks.
    """
    marks = settled_marks(growth)
    if marks is None:
        return None
    calls, memory = marks
    found = distributions.theilslopes(memory, calls, alpha=CONFIDENCE)
    added = float(found.slope) * float(calls[-1] - calls[0])
    return Slope(
        bytes_per_call=float(found.slope),
        grows=bool(found.low_slope > 0) and added > LEAST_GROWTH,
        added_bytes=added,
    )
