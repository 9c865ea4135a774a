"""Draw a model's inputs and compute the reference of their outputs, into the volume at `/data`.

Standard input carries one line, the sizes of the dimensions that change them. It leaves `inputs.npz`, arrays by name,
and for every output a `reference-<number>.npy`, which can be mapped. Their first axis counts what was drawn: rows,
where those of a batch are independent, else whole calls.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from reference import evaluate
from runner.manifest import is_complete, write_manifest
from runner.model import ModelFiles
from telling import RefusedError, progress, refusals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

DATA = Path("/data")
CALLS = 8
ROWS = range(CALLS, 1025)
"""How many input rows a model has: as many as the reference can afford, within these."""
REFERENCE_BUDGET = 5 * 10**9
"""Multiply-adds of the reference over all rows: some seconds of float64 on one core."""
LONGEST_REASON = 300
ROWS_A_CALL = 8
"""Of the reference, which keeps all values between layers."""
SMALLEST_MARGIN = 20
"""Times the tolerance: by that part of the largest value rows must differ, and the best class must lead."""


def draw(model: ModelFiles, out: Path) -> None:
    """Draw, compute and seal.

    Raises:
        RefusedError: such a reference checks nothing.
        NotImplementedError: the model does not have this shape.
    """
    independent = model.spec["independent_rows"]
    progress("inputs", 0)
    inputs = draw_inputs(model, rows_of(model.spec) if independent else CALLS)
    np.savez(out / "inputs.npz", **inputs)
    progress("reference", 0.1)
    network = model.common / "model.onnx"
    step = ROWS_A_CALL if independent else 1
    drawn = len(next(iter(inputs.values())))
    calls = [
        {
            name: values[first : first + step] if independent else values[first]
            for name, values in inputs.items()
        }
        for first in range(0, drawn, step)
    ]
    results, by = compute(network, calls)
    reference = {
        tensor.name: together([np.asarray(result[place], np.float64) for result in results], independent)
        for place, tensor in enumerate(model.outputs)
    }
    check_reference(model.spec, reference)
    for file, values in zip(model.references, reference.values(), strict=True):
        np.save(out / file.name, values)
    (out / "facts.json").write_text(json.dumps({"reference": by}), encoding="utf-8")
    progress("manifest", 0.9)
    write_manifest(out)
    progress("complete", 1)


def compute(network: Path, calls: list[dict[str, NDArray[Any]]]) -> tuple[list[list[NDArray[Any]]], str]:
    """Evaluate all calls, and the first of them once more at the end.

    Raises:
        RefusedError: nobody can evaluate the model, or it answers differently each time.
    """
    try:
        (*results, again), by = evaluate(network, [*calls, calls[0]])
    except Exception as error:
        raise RefusedError(
            "it cannot be evaluated with these sizes",
            why=f"{type(error).__name__}: {error}".partition("\n")[0][:LONGEST_REASON],
            fix="look at its dimensions, and at the ranges of its inputs",
        ) from error
    if not all(np.array_equal(*pair, equal_nan=True) for pair in zip(again, results[0], strict=True)):
        raise RefusedError(
            "its answer to the same inputs changes from call to call",
            why="an operator draws random numbers, or drops some as in training",
            fix="export it for inference",
        )
    return results, by


def rows_of(spec: dict[str, Any]) -> int:
    """How many rows the reference can afford."""
    return int(min(max(REFERENCE_BUDGET // max(spec["multiply_adds"], 1), ROWS[0]), ROWS[-1]))


def draw_inputs(model: ModelFiles, count: int) -> Arrays:
    """Draw every input so many times, from `low` up to, and without, `high`."""
    rng = np.random.default_rng(model.spec["seed"])
    inputs: Arrays = {}
    for tensor, entry in zip(model.inputs, model.spec["inputs"], strict=True):
        dtype = np.dtype(tensor.dtype)
        rest = tensor.shape[1:] if model.spec["independent_rows"] else tensor.shape
        shape, low, high = (count, *rest), entry["low"], entry["high"]
        if dtype.kind == "f":
            inputs[tensor.name] = (low + (high - low) * rng.random(shape, dtype=np.float32)).astype(dtype)
        else:
            kind = np.uint8 if dtype.kind == "b" else dtype
            inputs[tensor.name] = rng.integers(int(low), int(high), shape, dtype=kind).astype(dtype)
    return inputs


def together(results: list[NDArray[np.float64]], independent: bool) -> NDArray[np.float64]:
    """One output of all calls: rows behind each other, or calls on an axis of their own.

    Raises:
        RefusedError: its shape changes from call to call.
    """
    if len({result.shape[independent:] for result in results}) > 1:
        raise RefusedError("an output changes its shape with the values of the inputs")
    return np.concatenate(results) if independent else np.stack(results)


def check_reference(spec: dict[str, Any], reference: Arrays) -> None:
    """See that the reference can serve as one.

    Raises:
        RefusedError: it is not finite, or, for a model of the project's own, does not depend enough on the inputs.
    """
    for entry in spec["outputs"]:
        values = reference[entry["name"]]
        if not np.isfinite(values).all():
            raise RefusedError(
                f"the reference of {entry['name']!r} is not finite",
                why="the values drawn for the inputs are none that the model is made for",
                fix="give the ranges of its inputs in the matrix: `inputs: {name: {low: ..., high: ...}}`",
            )
        if spec["independent_rows"] and np.ptp(values, axis=0).max() < least(spec) * np.abs(values).max():
            raise RefusedError(
                f"{entry['name']!r} is the same for all inputs: such a reference checks nothing"
            )
    scores = reference[spec["outputs"][0]["name"]]
    # Not "less than": of scores that are all zero the lead is no number.
    if spec["task"] == "classification" and not lead(scores) >= least(spec):
        what = f"the best class of some input leads by {lead(scores):.2g} of the largest score only"
        raise RefusedError(what, why="rounding alone may make another one the best", fix="leave `task` away")


def least(spec: dict[str, Any]) -> float:
    """The difference, as a part of the largest value, that rounding can never make."""
    return float(SMALLEST_MARGIN * spec["tolerance"])


def lead(scores: NDArray[np.float64]) -> float:
    """By how much the best class leads where it leads least, as a part of the largest score."""
    second, best = np.partition(scores, -2, axis=-1)[..., -2:].reshape(-1, 2).T
    return float((best - second).min() / np.abs(scores).max())


def check_batch(model: ModelFiles, batch: int) -> None:
    """See that the model takes so many rows a call.

    Raises:
        NotImplementedError: its batch is fixed at another number.
    """
    fixed = model.inputs[0].shape[0] if model.inputs[0].shape else 1
    if "batch" not in model.spec["dims"].values() and batch not in (1, fixed):
        raise NotImplementedError(f"its batch is fixed at {fixed}: no dimension of its inputs is the batch")


def main() -> None:
    """Fill `/data`, unless that is done already."""
    told = json.loads(sys.stdin.readline())["dims"]
    with refusals():
        if is_complete(DATA):
            progress("complete", 1)
            return
        model = ModelFiles({"batch": 1, **told})
        check_batch(model, told.get("batch", 1))
        draw(model, DATA)


if __name__ == "__main__":
    main()
