"""The inputs of a trial and what must come out: cut from what was prepared for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runner.model import ModelFiles

    Inputs = dict[str, NDArray[Any]]


def load_batches(model: ModelFiles, *, kinds: int) -> tuple[list[Inputs], list[list[NDArray[Any]]]]:
    """Cut the prepared inputs into calls.

    Where the model's rows are independent, they were prepared one by one, and call `k` of a batch of `b` takes the rows
    `k * b, k * b + 1, ...`, counted around the end where there are not enough. Else whole calls were prepared.

    Args:
        model: the prepared model.
        kinds: how many different calls; the timing rotates through them.

    Returns:
        For each call its inputs by name, C-contiguous, and its reference outputs in the model's order.
    """
    with np.load(model.data / "inputs.npz") as stored:
        inputs = {tensor.name: stored[tensor.name] for tensor in model.inputs}
    with np.load(model.data / "reference.npz") as stored:
        outputs = [stored[tensor.name] for tensor in model.outputs]
    count = len(next(iter(inputs.values())))
    if model.spec["independent_rows"]:
        batch = model.inputs[0].shape[0]
        picks: list[Any] = [(np.arange(batch) + kind * batch) % count for kind in range(kinds)]
    else:
        picks = [kind % count for kind in range(kinds)]
    return (
        [{name: np.ascontiguousarray(each[pick]) for name, each in inputs.items()} for pick in picks],
        [[each[pick] for each in outputs] for pick in picks],
    )
