"""Write graph.onnx: `python make_graph.py`, by hand after a change, where the package onnx is installed.

An exporter's graph serves as well, such as PyTorch's, once its weights are taken out and their names kept.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

INPUTS, HIDDEN, OUTPUTS = 32, 64, 4
OPSET, IR_VERSION = 20, 9


def make_graph() -> onnx.ModelProto:
    """`scores = relu(features @ hidden.weight.T + hidden.bias) @ output.weight.T + output.bias`."""
    nodes = [
        helper.make_node("Gemm", ["features", "hidden.weight", "hidden.bias"], ["linear"], transB=1),
        helper.make_node("Relu", ["linear"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "output.weight", "output.bias"], ["scores"], transB=1),
    ]
    shapes = {
        "hidden.weight": [HIDDEN, INPUTS],
        "hidden.bias": [HIDDEN],
        "output.weight": [OUTPUTS, HIDDEN],
        "output.bias": [OUTPUTS],
    }
    graph = helper.make_graph(
        nodes,
        "perceptron",
        # A dimension with a name is dynamic: model.yaml calls it the same.
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", INPUTS])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", OUTPUTS])],
        # Tensors without data: weights.py fills them in by name.
        [TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT) for name, shape in shapes.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


if __name__ == "__main__":
    Path(__file__).with_name("graph.onnx").write_bytes(make_graph().SerializeToString(deterministic=True))
