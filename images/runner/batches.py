"""The inputs of a trial and what must come out: cut from what was prepared for the model."""

from __future__ import annotations

from math import gcd, lcm
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runner.model import ModelFiles

    Arrays = dict[str, NDArray[Any]]

ALIGNMENT = 64
"""Bytes. Some frameworks take an array as it is only where its values begin at a multiple of this, and copy it else: so
that it is no matter of luck, every input does."""


def load_batches(model: ModelFiles, *, kinds: int) -> tuple[list[Arrays], list[list[NDArray[Any]]]]:
    """Cut the prepared inputs into different calls.

    Where the model's rows are independent, they were prepared one by one. Then the calls overlap: each takes
    consecutive rows, counted around the end where there are not enough, and begins some rows after the one before it.
    So the inputs of all calls, which are charged to every framework alike, take little more memory than those of one.
    Else whole calls were prepared.

    Args:
        model: the prepared model.
        kinds: how many different calls at most; the timing rotates through them.

    Returns:
        For each call its inputs by name, C-contiguous and aligned, and its reference outputs in the model's order.
    """
    with np.load(model.data / "inputs.npz") as stored:
        inputs = {tensor.name: stored[tensor.name] for tensor in model.inputs}
    with np.load(model.data / "reference.npz") as stored:
        outputs = [stored[tensor.name] for tensor in model.outputs]
    count = len(next(iter(inputs.values())))
    if not model.spec["independent_rows"]:
        calls = range(min(kinds, count))
        copies = {name: [aligned(each[call]) for call in calls] for name, each in inputs.items()}
        return (
            [{name: copies[name][call] for name in inputs} for call in calls],
            [[each[call] for each in outputs] for call in calls],
        )
    batch = model.inputs[0].shape[0]
    step = choose_step(count, kinds, [each[0].nbytes for each in inputs.values()])
    starts = [call * step for call in range(min(kinds, different(count, step)))]
    rows = np.arange(starts[-1] + batch) % count
    wrapped = {name: aligned(each[rows]) for name, each in inputs.items()}
    answers = [each[rows] for each in outputs]
    return (
        [{name: each[start : start + batch] for name, each in wrapped.items()} for start in starts],
        [[each[start : start + batch] for each in answers] for start in starts],
    )


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
