"""Export a model's `graph.onnx` from its PyTorch definition, or check that it is current.

    python harness/models/export_graph.py spam-fnn
    python harness/models/export_graph.py --check spam-fnn

Run by hand after a change of `pytorch.py`, in an environment with the PyTorch version of `images/pytorch` and with
onnx, onnxscript and pyyaml. The graph carries no weights (see `docs/adr/0002-onnx-graph-in-the-repository.md`), nothing
of the machine it was exported on, and the hash of the `pytorch.py` that it came from.
"""

from __future__ import annotations

import argparse
import hashlib
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import yaml

MODELS = Path(__file__).parent
LARGEST_CONSTANT = 1024
"""Elements of a tensor that the graph may keep: shapes and scalars, not weights that the exporter folded."""


def export_graph(folder: Path) -> onnx.ModelProto:
    """Export one model, with a dynamic batch dimension and its weights taken out.

    Raises:
        ValueError: the exporter folded, merged or renamed a weight, so that it cannot be filled in by name.
    """
    spec = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    weights = runpy.run_path(str(folder / "weights.py"))["make"](np.random.default_rng(spec["seed"]))
    module = runpy.run_path(str(folder / "pytorch.py"))["build"]().eval()
    # The real weights, not the initial ones: the exporter merges tensors that are equal.
    module.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    program = torch.onnx.export(
        module,
        tuple(_example(entry) for entry in spec["inputs"]),
        dynamo=True,
        input_names=[entry["name"] for entry in spec["inputs"]],
        output_names=[entry["name"] for entry in spec["outputs"]],
        dynamic_shapes=tuple(_dynamic(entry["shape"]) for entry in spec["inputs"]),
        verbose=False,
    )
    graph = anonymous(program.model_proto)
    take_out(graph, set(weights))
    source = hashlib.sha256((folder / "pytorch.py").read_bytes()).hexdigest()
    onnx.helper.set_model_props(graph, {"pytorch.py": source, "exporter": f"torch {torch.__version__}"})
    return graph


def take_out(graph: onnx.ModelProto, names: set[str]) -> None:
    """Empty the initializers that are weights: name, shape and type stay.

    An emptied tensor is invalid ONNX on purpose: nothing can run the bare graph by mistake.
    """
    kept = {tensor.name: tensor for tensor in graph.graph.initializer}
    missing = names - kept.keys()
    folded = {
        name for name, tensor in kept.items() if name not in names and np.prod(tensor.dims) > LARGEST_CONSTANT
    }
    if missing or folded:
        raise ValueError(f"the exporter dropped {sorted(missing)} and made {sorted(folded)} of them")
    for name in names:
        tensor = kept[name]
        tensor.CopyFrom(onnx.TensorProto(name=name, dims=tensor.dims, data_type=tensor.data_type))


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


def _example(entry: dict[str, Any]) -> torch.Tensor:
    # Two rows: a dimension of one would be taken for a constant.
    shape = [2 if size == "batch" else size for size in entry["shape"]]
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
