"""Export a model's `graph.onnx` from its PyTorch definition, or check that it is current.

    python harness/models/export_graph.py spam-fnn
    python harness/models/export_graph.py --check spam-fnn

Run by hand after a change of `pytorch.py`, in an environment with the PyTorch version of `images/pytorch` and with
onnx, onnxscript and pyyaml. The graph carries no weights (see `docs/adr/0002-onnx-graph-in-the-repository.md`), nothing
of the machine it was exported on, and the hash of the `pytorch.py` that it came from. It is what the exporter makes by
default; what it folded on the way is noted as `images/prepare/folding.py` says, and proven by computing it again.
"""

from __future__ import annotations

import argparse
import hashlib
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    Arrays = dict[str, NDArray[np.float32]]

MODELS = Path(__file__).parent
FOLDING = runpy.run_path(str(MODELS.parents[1] / "images" / "prepare" / "folding.py"))
LARGEST_CONSTANT = 1024
"""Elements of a tensor that the graph may keep: shapes and scalars, not weights that the exporter folded."""


def export_graph(folder: Path) -> onnx.ModelProto:
    """Export one model, with its named dimensions dynamic and its weights taken out.

    Raises:
        ValueError: the exporter made something of a weight that cannot be made again.
    """
    spec = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    weights = runpy.run_path(str(folder / "weights.py"))["make"](np.random.default_rng(spec["seed"]))
    module = runpy.run_path(str(folder / "pytorch.py"))["build"]().eval()
    # The real weights, not the initial ones: the exporter merges tensors that are equal.
    module.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    program = torch.onnx.export(
        module,
        tuple(_example(entry, spec) for entry in spec["inputs"]),
        dynamo=True,
        input_names=[entry["name"] for entry in spec["inputs"]],
        output_names=[entry["name"] for entry in spec["outputs"]],
        dynamic_shapes=tuple(_dynamic(entry["shape"]) for entry in spec["inputs"]),
        verbose=False,
    )
    graph = anonymous(program.model_proto)
    take_out(graph, weights, _normalisations(module))
    source = hashlib.sha256((folder / "pytorch.py").read_bytes()).hexdigest()
    onnx.helper.set_model_props(graph, {"pytorch.py": source, "exporter": f"torch {torch.__version__}"})
    return graph


def take_out(graph: onnx.ModelProto, weights: Arrays, normalisations: dict[str, float]) -> None:
    """Empty the initializers that are weights, or were made of some: name, shape and type stay.

    An emptied tensor is invalid ONNX on purpose: nothing can run the bare graph by mistake.

    Args:
        graph: of the exporter; it is changed in place.
        weights: by name.
        normalisations: the epsilon of every batch normalisation, by the prefix of its weights.

    Raises:
        ValueError: a weight is used nowhere, or a large tensor is none and cannot be made of some.
    """
    unused, odd = set(weights), []
    for tensor in graph.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        made_by = _origin(tensor.name, array, weights, normalisations)
        if made_by is not None:
            unused.difference_update(made_by.split())
            tensor.CopyFrom(onnx.TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type))
            if made_by != tensor.name:
                tensor.metadata_props.add(key=FOLDING["MADE_BY"], value=made_by)
        elif array.size > LARGEST_CONSTANT:
            odd.append(tensor.name)
    if unused or odd:
        raise ValueError(f"the exporter dropped {sorted(unused)} and made {sorted(odd)} of them")


def _origin(name: str, array: Array, weights: Arrays, normalisations: dict[str, float]) -> str | None:
    """Tell how a tensor is made: the name of a weight, an operation of `folding.py`, or `None`."""
    for made_by in _candidates(name, array, weights, normalisations):
        made = weights[made_by] if made_by in weights else FOLDING["fold"](made_by, weights)
        if made.shape == array.shape and np.allclose(made, array, rtol=1e-6, atol=1e-7):
            return made_by
    return None


def _candidates(name: str, array: Array, weights: Arrays, normalisations: dict[str, float]) -> Iterator[str]:
    if name in weights:
        yield name
    if array.ndim == 2:
        yield from (f"transpose {weight}" for weight in weights if weights[weight].shape == array.shape[::-1])
    for norm, epsilon in normalisations.items():
        if weights[f"{norm}.weight"].shape == array.shape[:1]:
            scale = f"{norm}.weight {norm}.running_var {epsilon}"
            if array.ndim == 1:
                yield f"shift {norm}.bias {norm}.running_mean {scale}"
            elif name in weights:  # the folded filters keep the name
                yield f"scale {name} {scale}"


def _normalisations(module: torch.nn.Module) -> dict[str, float]:
    parts = module.named_modules()
    return {name: part.eps for name, part in parts if isinstance(part, torch.nn.BatchNorm2d)}


def anonymous(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what the exporter notes about its sources: stack traces hold the paths of this machine."""
    graph = model.graph
    values = (*graph.input, *graph.output, *graph.value_info, *graph.initializer)
    for part in (model, graph, *graph.node, *values):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


def structure(model: onnx.ModelProto) -> str:
    """What a graph computes, without versions and notes: two exports of one definition have it in common."""
    graph = onnx.GraphProto()
    graph.CopyFrom(model.graph)
    for part in (graph, *graph.node):
        part.ClearField("name")
    return onnx.printer.to_text(graph)


def _example(entry: dict[str, Any], spec: dict[str, Any]) -> torch.Tensor:
    # Two rows: a dimension of one would be taken for a constant.
    sizes = {"batch": 2, "sequence": spec.get("sequence")}
    shape = [sizes.get(size, size) for size in entry["shape"]]
    return torch.zeros(shape, dtype=getattr(torch, entry["dtype"]))


def _dynamic(shape: list[int | str]) -> dict[int, torch.export.Dim]:
    return {axis: torch.export.Dim(size) for axis, size in enumerate(shape) if isinstance(size, str)}


def main() -> int:
    """Export or check the models named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where the file is not current"
    )
    parser.add_argument("models", nargs="+", metavar="MODEL")
    told = parser.parse_args()
    stale = []
    for name in told.models:
        graph, file = export_graph(MODELS / name), MODELS / name / "graph.onnx"
        if not told.check:
            file.write_bytes(graph.SerializeToString(deterministic=True))
        elif structure(graph) != structure(onnx.load(file)):
            stale.append(name)
    if stale:
        print(f"not current: {', '.join(stale)}; run this without --check", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
