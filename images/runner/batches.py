"""The inputs of a trial and what must come out: slices of the rows that were prepared with the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runner.model import ModelFiles

    Inputs = dict[str, NDArray[Any]]


def load_batches(
    model: ModelFiles, *, batch: int, kinds: int
) -> tuple[list[Inputs], list[list[NDArray[np.float64]]]]:
    """Cut the prepared rows into batches.

    Batch `k` holds the rows `k * batch, k * batch + 1, ...`, counted around the end where a batch needs more rows
    than there are.

    Args:
        model: the prepared model.
        batch: rows per call.
        kinds: how many different batches; the timing rotates through them.

    Returns:
        For each batch its inputs by name, C-contiguous, and its reference outputs in the model's order.
    """
    with np.load(model.common / "inputs.npz") as stored:
        inputs = {entry["name"]: stored[entry["name"]] for entry in model.spec["inputs"]}
    with np.load(model.common / "reference.npz") as stored:
        outputs = [stored[entry["name"]] for entry in model.spec["outputs"]]
    rows = len(next(iter(inputs.values())))
    picks = [(np.arange(batch) + kind * batch) % rows for kind in range(kinds)]
    return (
        [{name: np.ascontiguousarray(values[pick]) for name, values in inputs.items()} for pick in picks],
        [[values[pick] for values in outputs] for pick in picks],
    )
