"""PyTorch's forms of a model that take more than PyTorch itself to make: a graph from ONNX, and compiled modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from compile import compile_ahead
from onnx_graph import flat_graph
from safetensors.torch import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:
    """Write `compiled.so`, or `graph.pt`: a pickled `torch.fx.GraphModule`, which needs nothing but PyTorch.

    An exported program (`.pt2`) of the same graph takes 1.7 to 4.2 times as long to call and 2 to 10 times to load.

    Raises:
        NotImplementedError: an operator cannot be converted; the message names it.
    """
    if params["form"] == "compiled":
        inputs = tuple(
            torch.zeros(tensor.shape, dtype=getattr(torch, tensor.dtype)) for tensor in model.inputs
        )
        module = find_module(model).eval().requires_grad_(requires_grad=False)
        compile_ahead(module, inputs, out, threads=params["threads"])
    else:
        torch.save(find_module(model), out / "graph.pt")


def find_module(model: ModelFiles) -> torch.nn.Module:
    """The model's own definition with its weights, or the graph of its ONNX file."""
    if not model.has_definition("pytorch"):
        graph, _ = flat_graph(model)
        return graph
    module: torch.nn.Module = model.define("pytorch").build()
    module.load_state_dict(load_file(model.common / "weights.safetensors"), strict=False)
    return module
