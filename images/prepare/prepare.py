"""Prepare one model: everything that all frameworks share, made in the volume at `/model` from what was put there.

Runs in the image `prepare`, outside all clocks and caps, with none of the measured frameworks. A model's folder becomes

- `spec.json`: what the harness has read of `model.yaml` and put there, and the model's dynamic dimensions;
- `weights.safetensors`: drawn by `weights.py` from the seed;
- `model.onnx` and `model.onnx.data`: `graph.onnx` with these weights filled in.

A user's own ONNX file stays as it is, and gets its `spec.json` from what it says of itself (`own.py`). Both get
`facts.json`, what a run's record says of the model, and `manifest.json`, the seal, which is written last.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx.external_data_helper import convert_model_to_external_data, write_external_data_tensors
from own import check_precision, describe_own
from runner.manifest import is_complete, write_manifest
from runner.model import OWN_FILE
from safetensors.numpy import save_file
from telling import progress, refusals
from weights_in_graph import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.generic]]

MODEL = Path("/model")
SPEC_FILE = "spec.json"
FACTS = ("title", "parameters", "multiply_adds", "sequence", "task", "tolerance")
IR_VERSION = 9
"""The least that opset 20 needs: an older ONNX Runtime takes nothing newer."""
WEIGHTS = "model.onnx.data"
SMALLEST_WEIGHT = 1024
"""Bytes of a tensor that lies outside the ONNX file."""
STATISTICS = (".running_mean", ".running_var")
"""Ends of the names of what batch normalization has counted, and nobody calls a parameter."""


def prepare(folder: Path) -> None:
    """Make all artefacts of one model and seal its volume; one that is sealed and intact is left alone.

    Raises:
        ValueError: the folder's files contradict each other.
        RefusedError: a user's own file cannot be used.
    """
    if is_complete(folder):
        progress("complete", 1)
        return
    spec = describe_own(folder) if (folder / OWN_FILE).exists() else prepare_folder(folder)
    (folder / SPEC_FILE).write_text(json.dumps(spec, indent=1), encoding="utf-8")
    facts = {key: spec[key] for key in FACTS}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    progress("manifest", 0.9)
    write_manifest(folder)
    progress("complete", 1)


def prepare_folder(folder: Path) -> dict[str, Any]:
    """Draw the weights of a model's folder and fill them into its graph.

    Returns:
        Its specification.
    """
    spec = json.loads((folder / SPEC_FILE).read_text(encoding="utf-8"))
    names = ("batch",) if spec["sequence"] is None else ("batch", "sequence")
    spec |= {"dims": {name: name for name in names}, "independent_rows": True}
    progress("weights", 0)
    weights = runpy.run_path(str(folder / "weights.py"))["make"](np.random.default_rng(spec["seed"]))
    count = sum(array.size for name, array in weights.items() if not name.endswith(STATISTICS))
    if count != spec["parameters"]:
        raise ValueError(f"weights.py makes {count} parameters, model.yaml says {spec['parameters']}")
    save_file(weights, folder / "weights.safetensors")
    progress("graph", 0.5)
    model = fill(onnx.load(folder / "graph.onnx"), weights)
    model.ir_version = IR_VERSION
    # Also finds a place that was left empty: its data does not match its shape.
    onnx.checker.check_model(model, full_check=True)
    check_precision(model)
    save(model, folder)
    return spec


def save(model: onnx.ModelProto, folder: Path) -> None:
    """Write `model.onnx`, its weights in a file beside it, which a runtime can map.

    Of weights inside the ONNX file ONNX Runtime keeps what it read beside what it packs for its kernels.
    """
    (folder / WEIGHTS).unlink(missing_ok=True)  # the writer appends
    convert_model_to_external_data(model, location=WEIGHTS, size_threshold=SMALLEST_WEIGHT)
    write_external_data_tensors(model, str(folder))
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    with refusals():
        prepare(MODEL)
