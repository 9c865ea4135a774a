"""The inputs of a trial and what must come out: cut from what was prepared for the model."""

from __future__ import annotations

from math import gcd, lcm
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from runner.model import ModelFiles

    Arrays = dict[str, NDArray[Any]]
    Pick = int | NDArray[np.intp]

ALIGNMENT = 64
"""Bytes. Some frameworks take an array as it is only where its values begin at a multiple of this, and copy it else: so
that it is no matter of luck, every input does."""


class References:
    """What must come out of each call; read one by one, and only when looked at.

    They belong to the harness: in memory before the clock stops, they would count as the framework's.

    Args:
        files: an array for each output, in the model's order.
        picks: of each call where it is in them: its place, or those of its rows.
    """

    def __init__(self, files: Sequence[Path], picks: Sequence[Pick]) -> None:
        self._files = files
        self._picks = picks

    def __iter__(self) -> Iterator[list[NDArray[Any]]]:
        """Of each call its outputs."""
        stored = self._stored()
        return ([np.asarray(each[pick]) for each in stored] for pick in self._picks)

    @property
    def nbytes(self) -> int:
        """Bytes of all of them."""
        rows = sum(np.size(pick) for pick in self._picks)
        return rows * sum(each.nbytes // len(each) for each in self._stored())

    def _stored(self) -> list[NDArray[Any]]:
        return [np.load(file, mmap_mode="r") for file in self._files]


def load_batches(model: ModelFiles, *, kinds: int) -> tuple[list[Arrays], References]:
    """Cut the prepared inputs into different calls.

    Where the model's rows are independent, they were prepared one by one, and each call takes consecutive ones, counted
    around the end where there are not enough. Then the calls overlap, each beginning some rows after the one before it:
    so the inputs of all calls, which are charged to every framework alike, take little more memory than those of one.
    Where too few rows begin aligned for that, each call is a copy of its own. Else whole calls were prepared.

    Args:
        model: the prepared model.
        kinds: how many different calls at most; the timing rotates through them.

    Returns:
        For each call its inputs by name, C-contiguous and aligned, and the references of their outputs.
    """
    with np.load(model.data / "inputs.npz") as stored:
        inputs = {tensor.name: stored[tensor.name] for tensor in model.inputs}
    count = len(next(iter(inputs.values())))
    calls = range(min(kinds, count))
    if not model.spec["independent_rows"]:
        return [copied(inputs, call) for call in calls], References(model.references, calls)
    batch = model.inputs[0].shape[0]
    step = choose_step(count, kinds, [each[0].nbytes for each in inputs.values()])
    apart = different(count, step) < len(calls)
    starts = [call * (1 if apart else step) for call in calls]
    picks = [(start + np.arange(batch)) % count for start in starts]
    references = References(model.references, picks)
    if apart:
        return [copied(inputs, pick) for pick in picks], references
    rows = np.arange(starts[-1] + batch) % count
    wrapped = {name: aligned(each[rows]) for name, each in inputs.items()}
    return (
        [{name: each[start : start + batch] for name, each in wrapped.items()} for start in starts],
        references,
    )


def copied(inputs: Arrays, pick: Pick) -> Arrays:
    """A call that shares no memory with another: what is at one place, or at some rows."""
    return {name: aligned(each[pick]) for name, each in inputs.items()}


def choose_step(count: int, kinds: int, row_bytes: list[int]) -> int:
    """The fewest rows from one call to the next with which each begins aligned and as many as can be are different.

    Args:
        count: rows that there are.
        kinds: different calls that are wanted.
        row_bytes: of each input.
    """
    unit = lcm(*(ALIGNMENT // gcd(ALIGNMENT, size) for size in row_bytes))
    return max(
        (unit * times for times in range(1, count + 1)),
        key=lambda step: (min(kinds, different(count, step)), -step),
    )


def different(count: int, step: int) -> int:
    """How many different rows are reached by going round in steps."""
    return count // gcd(count, step)


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """A C-contiguous copy that begins at a multiple of `ALIGNMENT`."""
    room = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    skip = -room.ctypes.data % ALIGNMENT
    copy = room[skip : skip + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
