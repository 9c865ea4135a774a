"""Prepare one model: everything that all frameworks share, made from its folder in the volume at `/model`.

Runs in the image `prepare`, outside all clocks and caps, with none of the measured frameworks. It leaves, beside the
folder's own files:

- `spec.json`: `model.yaml` as JSON;
- `weights.safetensors`: drawn by `weights.py` from the seed;
- `model.onnx`: `graph.onnx` with these weights filled in;
- `inputs.npz`: by input name, shape (rows, ...); `reference.npz`: by output name, the float64 outputs of these rows;
- `manifest.json`: the seal, written last.

A batch of `b` rows takes consecutive rows, counted around the end, from any offset: a trial rotates through different
offsets, and the reference of each row is at the same place.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import yaml
from onnx import numpy_helper
from runner.manifest import is_complete, write_manifest
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.generic]]

MODEL = Path("/model")
ROWS = range(8, 1025)
"""How many input rows a model has: as many as the reference can afford, within these."""
REFERENCE_BUDGET = 10**10
"""Multiply-adds of the reference over all rows: about 10 s of float64 on one core."""


def prepare(folder: Path) -> None:
    """Make all artefacts of one model and seal its volume; one that is sealed and intact is left alone.

    Raises:
        ValueError: the folder's files contradict each other.
    """
    if is_complete(folder):
        progress("complete", 1)
        return
    spec = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    rng = np.random.default_rng(spec["seed"])

    progress("weights", 0)
    weights = runpy.run_path(str(folder / "weights.py"))["make"](rng)
    count = sum(array.size for array in weights.values())
    if count != spec["parameters"]:
        raise ValueError(f"weights.py makes {count} parameters, model.yaml says {spec['parameters']}")
    save_file(weights, folder / "weights.safetensors")

    progress("graph", 0.2)
    model = fill(onnx.load(folder / "graph.onnx"), weights)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))

    progress("inputs", 0.4)
    inputs = draw_inputs(spec, rng)
    np.savez(folder / "inputs.npz", **inputs)

    progress("reference", 0.5)
    forward = runpy.run_path(str(folder / "reference.py"))["forward"]
    reference = forward(weights, inputs)
    check_reference(spec, inputs, reference)
    np.savez(folder / "reference.npz", **reference)

    progress("manifest", 0.9)
    (folder / "spec.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")
    write_manifest(folder)
    progress("complete", 1)


def progress(step: str, done: float) -> None:
    """Report a step as it begins; `done` is the part of the whole that lies behind."""
    print(json.dumps({"step": step, "done": done}), flush=True)


def fill(graph: onnx.ModelProto, weights: Arrays) -> onnx.ModelProto:
    """Fill the weights into a graph that was exported without them, and check the whole.

    Raises:
        ValueError: a weight has no place in the graph, or one of another shape.
    """
    places = {tensor.name: tensor for tensor in graph.graph.initializer}
    for name, array in weights.items():
        place = places.get(name)
        if place is None or tuple(place.dims) != array.shape:
            raise ValueError(f"graph.onnx has no place for {name} {array.shape}: export it again")
        place.CopyFrom(numpy_helper.from_array(array, name))
    # Also finds a place that was left empty: its data does not match its shape.
    onnx.checker.check_model(graph, full_check=True)
    return graph


def draw_inputs(spec: dict[str, Any], rng: np.random.Generator) -> Arrays:
    """Draw the rows of every input from `low` up to, and without, `high`."""
    rows = min(max(REFERENCE_BUDGET // max(spec["multiply_adds"], 1), ROWS[0]), ROWS[-1])
    inputs: Arrays = {}
    for entry in spec["inputs"]:
        dtype = np.dtype(entry["dtype"])
        shape = (rows, *entry["shape"][1:])
        low, high = dtype.type(entry["low"]), dtype.type(entry["high"])
        if dtype.kind == "f":
            inputs[entry["name"]] = low + (high - low) * rng.random(shape, dtype=dtype)
        else:
            inputs[entry["name"]] = rng.integers(low, high, shape, dtype=dtype)
    return inputs


def check_reference(spec: dict[str, Any], inputs: Arrays, reference: Arrays) -> None:
    """See that the reference can serve as one.

    Raises:
        ValueError: an output is missing, of another shape, not float64, not finite, or the same for every row.
    """
    rows = len(next(iter(inputs.values())))
    for entry in spec["outputs"]:
        values = reference.get(entry["name"], np.empty(0))
        shape = (rows, *entry["shape"][1:])
        if values.shape != shape or values.dtype != np.float64 or not np.isfinite(values).all():
            raise ValueError(f"reference.py makes no finite float64 {entry['name']} of shape {shape}")
        if np.ptp(values, axis=0).max() <= spec["tolerance"]:
            raise ValueError(f"{entry['name']} is the same for all inputs: such a reference checks nothing")


if __name__ == "__main__":
    prepare(MODEL)
