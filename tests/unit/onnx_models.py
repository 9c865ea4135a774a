"""Small ONNX models made by hand, for the tests of what users may bring."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Dims = list[int | str | None]


def value(name: str, dims: Dims, kind: int = TensorProto.FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, dims)


def model(
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    nodes: list[NodeProto],
    weights: Mapping[str, NDArray[np.generic]] | None = None,
    opset: int = 18,
) -> ModelProto:
    stored = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph: GraphProto = helper.make_graph(nodes, "g", inputs, outputs, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def linear(rows: int | str | None = "n") -> ModelProto:
    """`y = x @ w`, from three columns to two."""
    weights = {"w": np.arange(6, dtype=np.float32).reshape(3, 2)}
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return model([value("x", [rows, 3])], [value("y", [rows, 2])], [node], weights)


def doubled_mean() -> ModelProto:
    """`y = 2 * mean(x)`: an output and a weight without dimensions."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "two"], ["y"]),
    ]
    two = {"two": np.array(2, dtype=np.float32)}
    return model([value("x", ["n", 3])], [value("y", [])], nodes, two)


def save(made: ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def with_external_data(folder: Path) -> Path:
    """`linear`, its weights in a file of their own."""
    path = folder / "model.onnx"
    onnx.save_model(linear(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path
