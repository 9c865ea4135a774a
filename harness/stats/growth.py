"""Whether a cell's memory grows while it answers: the slope over the steady phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import stats as distributions

from harness.stats.intervals import CONFIDENCE
from harness.stats.slope import LEAST_GROWTH, settled_marks

if TYPE_CHECKING:
    from harness.records import Growth


@dataclass(frozen=True, kw_only=True)
class Slope:
    """How anonymous memory changes with the calls."""

    bytes_per_call: float
    grows: bool
    """The whole 95 % interval is above zero, and what was added is more than counting noise."""
    added_bytes: float
    """Over the calls that were looked at."""


def memory_slope(growth: Growth) -> Slope | None:
    """Fit the slope of Theil (1950) and Sen (1968).

    A single step moves it only where it lies in the middle of the marks, and the interval holds zero even there.

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
