"""The measuring loop: the clock around one synchronous call, and nothing else in it."""

from __future__ import annotations

import base64
import contextlib
import mmap
import time
import zlib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Inputs = dict[str, NDArray[Any]]
    Outputs = Sequence[NDArray[Any]]
    T = TypeVar("T")

NOTES = 20
"""How often a phase's growth is noted: enough for a slope."""


def measure(
    run: Callable[[T], object],
    inputs: Sequence[T],
    *,
    seconds: float,
    min_iterations: int,
    max_iterations: int,
    note: Callable[[int], None] | None = None,
) -> NDArray[np.uint64]:
    """Call `run` until both the time and the least number of iterations are spent.

    The inputs rotate and the latency is stored outside the clock.

    Args:
        run: the call to time.
        inputs: what it is given, in turn: arrays by name, or whatever `run` takes.
        seconds: to measure for.
        min_iterations: at least so many calls, even when the time is over.
        max_iterations: at most so many.
        note: called between two calls about `NOTES` times, evenly over the time, and after the last, with the number
            of calls so far; outside every clock.

    Returns:
        The latencies in nanoseconds, shape `(iterations,)`.
    """
    clock = time.perf_counter_ns
    latencies = reserve(max_iterations)
    kinds = len(inputs)
    count = 0
    mark = clock()
    deadline = mark + round(seconds * 1e9)
    step = round(seconds * 1e9 / NOTES) if note else deadline - mark
    mark += step
    while True:
        chosen = inputs[count % kinds]
        start = clock()
        outputs = run(chosen)
        end = clock()
        latencies[count] = end - start
        outputs = None  # noqa: F841 - freed here, outside this call's clock and the next one's
        count += 1
        # One comparison a call: the next mark is either a note or the end.
        if end >= mark or count == max_iterations:
            last = count == max_iterations or (end >= deadline and count >= min_iterations)
            if note:
                note(count)
            if last:
                return latencies[:count]
            mark = end + step if note else end


def reserve(count: int) -> NDArray[np.uint64]:
    """Make room for so many latencies.

    The room is reserved, not touched: a page of it becomes resident only when a latency is written there. Huge pages,
    which would come two megabytes at a time and look like a framework's own memory, are declined.
    """
    room = mmap.mmap(-1, count * 8)
    with contextlib.suppress(OSError):  # a kernel without huge pages has nothing to decline
        room.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(room, dtype=np.uint64)


def samples_record(phase: str, latencies: NDArray[np.uint64], clock: str = "end_to_end") -> dict[str, object]:
    """All latencies, compactly: little-endian unsigned 64-bit, zlib, base64."""
    packed = zlib.compress(latencies.astype("<u8", copy=False).tobytes(), level=6)
    return {
        "type": "samples",
        "phase": phase,
        "clock": clock,
        "count": len(latencies),
        "data": base64.b64encode(packed).decode("ascii"),
    }


def compare(
    run: Callable[[Inputs], Outputs],
    inputs: Sequence[Inputs],
    expected: Sequence[Outputs],
    tolerance: float,
) -> dict[str, object]:
    """Check the outputs for every input against the float64 reference.

    Args:
        run: the call that was timed.
        inputs: all inputs that took part in the timing.
        expected: for each of them the reference, an array per output.
        tolerance: the largest absolute error allowed, for the record.

    Returns:
        The `output` record; without an error figure where shapes differ or a value is not finite.
    """
    worst, finite = 0.0, True
    for chosen, references in zip(inputs, expected, strict=True):
        outputs = [np.asarray(output, dtype=np.float64) for output in run(chosen)]
        shapes = [output.shape for output in outputs]
        wanted = [reference.shape for reference in references]
        if shapes != wanted:
            break
        for output, reference in zip(outputs, references, strict=True):
            finite = finite and bool(np.isfinite(output).all())
            worst = max(worst, float(np.abs(output - reference).max()))
    known = finite and shapes == wanted
    return {
        "type": "output",
        "inputs": len(inputs),
        "finite": finite,
        "max_abs_error": worst if known else None,
        "tolerance": tolerance,
        "shapes": shapes,
        "expected_shapes": wanted,
    }
