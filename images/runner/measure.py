"""The measuring loop: the clock around one synchronous call, and nothing else in it."""

from __future__ import annotations

import base64
import contextlib
import mmap
import time
import zlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Inputs = dict[str, NDArray[Any]]
    Outputs = Sequence[NDArray[Any]]

T = TypeVar("T")
SMALLEST_SCALE = 1e-30
"""What an error is relative to where the reference is zero throughout."""
ANOTHER_NUMBER = 2.0
"""The relative error of a label that is not the reference's: more than any tolerance."""
BOUND_AT_ONCE = 8 * 1024**2
"""Bytes of inputs and outputs; the calls of larger ones take so long that what binding leaves behind does not show."""
NOTES = 20
"""How often a phase's growth is noted: enough for a slope."""


def measure(
    run: Callable[[T], object],
    inputs: Sequence[T] | Natives[T],
    *,
    seconds: float,
    min_iterations: int,
    max_iterations: int,
    note: Callable[[int], object] | None = None,
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
        del chosen, outputs  # freed here, outside this call's clock and the next one's
        count += 1
        # One comparison a call: the next mark is either a note or the end.
        if end >= mark or count == max_iterations:
            last = count == max_iterations or (end >= deadline and count >= min_iterations)
            if note:
                note(count)
            if last:
                return latencies[:count]
            mark = end + step if note else end


class Natives(Generic[T]):
    """The inputs as the framework's own tensors, each made when its turn comes, so that there is one at a time."""

    def __init__(self, to_native: Callable[[Inputs], T], inputs: Sequence[Inputs]) -> None:
        self._to_native = to_native
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, index: int) -> T:
        return self._to_native(self._inputs[index])


def bind(
    to_native: Callable[[Inputs], T], inputs: Sequence[Inputs], output_bytes: int
) -> Sequence[T] | Natives[T]:
    """Make what the second clock rotates through.

    A framework that copies its inputs, or keeps outputs with them, holds no more of them at once than `BOUND_AT_ONCE`.
    Smaller ones are bound beforehand all the same: a call of microseconds is slower right after binding, up to twofold.

    Args:
        to_native: makes the framework's own tensors of one call's inputs.
        inputs: of all calls.
        output_bytes: of the outputs of all calls, as large as the framework's own or larger.
    """
    size = output_bytes + sum(array.nbytes for call in inputs for array in call.values())
    return [to_native(call) for call in inputs] if size <= BOUND_AT_ONCE else Natives(to_native, inputs)


def reserve(count: int) -> NDArray[np.uint64]:
    """Make room for so many latencies.

    The room is reserved, not touched: a page of it becomes resident only when a latency is written there. Huge pages,
    which would come two megabytes at a time and look like a framework's own memory, are declined. The map is shared, so
    that it is no part of the anonymous memory in which a leak is looked for.
    """
    room = mmap.mmap(-1, count * 8)
    with contextlib.suppress(OSError):  # a kernel without huge pages has nothing to decline
        room.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(room, dtype=np.uint64)


def resident_bytes(latencies: NDArray[np.uint64]) -> int:
    """What the latencies that one `measure` returned hold of memory: the pages of its room that were written to."""
    return -(-latencies.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE


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
    expected: Iterable[Outputs],
    *,
    exact: Sequence[bool],
    tolerance: float,
    classifies: bool,
) -> dict[str, object]:
    """Check the outputs for every input against the reference.

    Args:
        run: the call that was timed.
        inputs: all inputs that took part in the timing.
        expected: for each of them the reference, an array per output.
        exact: of each output, whether it is a whole number that means something by itself, such as a label or an index.
        tolerance: the largest relative error allowed, for the record.
        classifies: the last axis of the first output scores classes, so that the best of them must agree as well.

    Returns:
        The `output` record; without error figures where shapes differ or a value is not finite. Errors are relative to
        the largest reference value of the same output of the same call: relative to each value by itself, those that
        happen to lie near zero would decide.
    """
    absolute = relative = 0.0
    finite = True
    rows = agreeing = 0
    for chosen, references in zip(inputs, expected, strict=True):
        outputs = [np.asarray(output, dtype=np.float64) for output in run(chosen)]
        shapes = [output.shape for output in outputs]
        wanted = [reference.shape for reference in references]
        if shapes != wanted:
            break
        for output, reference, is_exact in zip(outputs, references, exact, strict=True):
            finite = finite and bool(np.isfinite(output).all())
            error = float(np.abs(output - reference).max(initial=0))
            scale = max(float(np.abs(reference).max(initial=0)), SMALLEST_SCALE)
            absolute = max(absolute, error)
            relative = max(relative, ANOTHER_NUMBER if is_exact and error else error / scale)
        if classifies:
            same = outputs[0].argmax(axis=-1) == references[0].argmax(axis=-1)
            rows, agreeing = rows + same.size, agreeing + int(same.sum())
    known = finite and shapes == wanted
    return {
        "type": "output",
        "inputs": len(inputs),
        "finite": finite,
        "max_abs_error": absolute if known else None,
        "max_rel_error": relative if known else None,
        "tolerance": tolerance,
        "classified": rows if classifies else None,
        "classified_same": agreeing if classifies else None,
        "shapes": shapes,
        "expected_shapes": wanted,
    }
