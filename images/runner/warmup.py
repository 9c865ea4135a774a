"""The warm-up: it is over when the data say so, not after a fixed number of calls."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from runner.measure import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    T = TypeVar("T")

WINDOWS = 3
"""So many windows fill the time that was asked for, and so many must agree."""
MIN_CALLS = 4
"""Of a window: the median of fewer is one call's mood."""
MAX_CALLS = 100_000
"""Of a window."""
LONGEST = 10
"""Times the time, or the windows, that were asked for: a call that is not settled by then never will be."""
TOLERANCE = 0.05
"""How much faster than the windows before it the last may be."""


def warm_up(
    run: Callable[[T], object], inputs: Sequence[T], *, seconds: float
) -> tuple[list[NDArray[np.uint64]], dict[str, object]]:
    """Call `run` in windows until the time is over and it does not become faster any more.

    Only a fall counts: caches that fill, code that is compiled late and pools that grow make calls faster. What
    makes them slower is the host's noise, which a longer warm-up would not take away.

    Args:
        run: the call.
        inputs: what it is given, in turn.
        seconds: the least time; once `LONGEST` times it is over no window begins, beyond the `WINDOWS` that must be.

    Returns:
        The latencies of each window in nanoseconds, and the `warmup` record.
    """
    found: list[NDArray[np.uint64]] = []
    medians: list[int] = []
    begin = time.perf_counter_ns()
    least, most = (begin + round(times * seconds * 1e9) for times in (1, LONGEST))
    while len(medians) < WINDOWS or not (
        (settled(medians) and time.perf_counter_ns() >= least)
        or len(medians) == WINDOWS * LONGEST
        or time.perf_counter_ns() >= most
    ):
        window = measure(
            run, inputs, seconds=seconds / WINDOWS, min_iterations=MIN_CALLS, max_iterations=MAX_CALLS
        )
        gc.collect()  # who measures has it off: else the garbage of all windows would count as the framework's memory
        found.append(window)
        medians.append(int(np.median(window)))
    record: dict[str, object] = {
        "type": "warmup",
        "settled": settled(medians),
        "window_calls": [len(window) for window in found],
        "window_median_ns": medians,
    }
    return found, record


def settled(medians: Sequence[int]) -> bool:
    """Whether the last window is no faster than the ones before it, within the tolerance."""
    if len(medians) < WINDOWS:
        return False
    *before, last = medians[-WINDOWS:]
    return last >= (1 - TOLERANCE) * max(before)
