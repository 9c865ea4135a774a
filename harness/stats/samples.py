"""One trial's steady phase: its latencies, which of them lie far out, and which threads computed.

Percentiles are numpy's `linear` (type 7 of Hyndman and Fan): what pandas, R and spreadsheets answer by default, so that
anybody can check a figure from the raw latencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.records import Clock, Phase, PhaseEnd, Samples, Threads, every, first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from harness.records import AnyRecord
    from harness.results import Trial

NS_PER_MS: Final = 1e6
SAMPLES_NEEDED: Final = {50: 1, 90: 64, 95: 130, 99: 662}
"""Samples that a trial needs before a percentile is printed: an order-statistic bound at 99 % confidence."""
BUSY_SHARE: Final = 0.05
"""Of the busiest thread's CPU time in the steady phase that another needs to count as busy. Of the wall time would not
do: many threads that share few CPUs have a small part of it each."""
MILD: Final = 1.5
SEVERE: Final = 3.0
"""Tukey's fences, in interquartile ranges beyond the quartiles."""


@dataclass(frozen=True, kw_only=True)
class Outliers:
    """How many latencies lie far out; they are classed, never dropped."""

    mild: int
    severe: int
    total: int

    def __add__(self, other: Outliers) -> Outliers:
        """Those of several trials together."""
        return Outliers(
            mild=self.mild + other.mild, severe=self.severe + other.severe, total=self.total + other.total
        )


NO_OUTLIERS: Final = Outliers(mild=0, severe=0, total=0)


def steady_end(records: Sequence[AnyRecord]) -> PhaseEnd | None:
    """The counters over the steady phase."""
    return next((end for end in every(records, PhaseEnd) if end.name is Phase.STEADY), None)


def busy_threads(records: Sequence[AnyRecord]) -> int | None:
    """How many threads computed in the steady phase; `None` where the kernel does not tell."""
    found = first(records, Threads)
    if found is None or found.busy_ns is None:
        return None
    least = BUSY_SHARE * max(found.busy_ns, default=0)
    return sum(time > least for time in found.busy_ns)


def steady_latencies_ns(records: Iterable[AnyRecord], clock: Clock = Clock.END_TO_END) -> NDArray[np.float64]:
    """The latencies of a steady phase, shape `(iterations,)`, nanoseconds; empty where there are none.

    Raises:
        ValueError: stored samples do not decode.
    """
    for samples in every(records, Samples):
        if samples.phase is Phase.STEADY and samples.clock is clock:
            return samples.latencies_ns().astype(np.float64)
    return np.empty(0)


def steady_latencies_ms(trial: Trial, clock: Clock = Clock.END_TO_END) -> NDArray[np.float64]:
    """The same of a stored trial, milliseconds."""
    return steady_latencies_ns(trial.records, clock) / NS_PER_MS


def median_us(trial: Trial) -> float | None:
    """Median latency of the steady phase in microseconds; `None` where it has none."""
    latencies = steady_latencies_ms(trial)
    return float(np.median(latencies)) * 1000 if latencies.size else None


def quantiles(ordered: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
    """Quantiles of latencies that are sorted once for all that is asked of them.

    The same as numpy's own (`linear`), which take many times as long over some hundred figures.

    Args:
        ordered: shape `(iterations,)`, at least one, the smallest first.
        levels: 0 to 1.

    Returns:
        Shape `(levels,)`.
    """
    places = np.asarray(levels) * (ordered.size - 1)
    found: NDArray[np.float64] = np.interp(places, np.arange(ordered.size), ordered)
    return found


def class_outliers(ordered: NDArray[np.float64]) -> Outliers:
    """Class latencies by Tukey's fences (1977), as criterion does.

    Args:
        ordered: shape `(iterations,)`, any unit, the smallest first.
    """
    if not ordered.size:
        return NO_OUTLIERS
    low, high = quantiles(ordered, (0.25, 0.75)).tolist()
    mild, severe = (_outside(ordered, low, high, fence * (high - low)) for fence in (MILD, SEVERE))
    return Outliers(mild=mild - severe, severe=severe, total=ordered.size)


def _outside(ordered: NDArray[np.float64], low: float, high: float, beyond: float) -> int:
    """How many lie further than that from two bounds."""
    first, last = (
        np.searchsorted(ordered, low - beyond),
        np.searchsorted(ordered, high + beyond, side="right"),
    )
    return int(first) + ordered.size - int(last)
