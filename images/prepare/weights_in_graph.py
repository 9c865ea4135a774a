"""A graph that was exported without its weights, and the weights filled into it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from folding import MADE_BY, fold
from onnx import numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import onnx
    from numpy.typing import NDArray


def fill(graph: onnx.ModelProto, weights: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """Fill the weights, and what follows from them, into a graph that was exported without them.

    Raises:
        ValueError: a weight has no place in the graph, or one of another shape.
    """
    used: set[str] = set()
    for tensor in graph.graph.initializer:
        made_by = next((entry.value for entry in tensor.metadata_props if entry.key == MADE_BY), "")
        if not made_by and tensor.name not in weights:
            continue  # a constant of the graph itself
        array = fold(made_by, weights) if made_by else weights[tensor.name]
        if tuple(tensor.dims) != array.shape:
            raise ValueError(f"graph.onnx has no place for {tensor.name} {array.shape}: export it again")
        used.update(made_by.split() or [tensor.name])
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    if left := sorted(weights.keys() - used):
        raise ValueError(f"graph.onnx has no place for {left[0]}: export it again")
    return graph
