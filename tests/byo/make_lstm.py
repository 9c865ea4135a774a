"""`python make_lstm.py OUT`: two recurrent layers, written node by node."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES, HIDDEN, STEPS = 8, 16, 12


def make(out: Path) -> None:
    """Write `lstm.onnx`: input `series` (12, batch, 8), outputs `score` (batch, 4) and `state` (2, batch, 16)."""
    rng = np.random.default_rng(20260103)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((rng.standard_normal(shape) * 0.3).astype(np.float32), name)

    weights = [
        weight("w", 2, 4 * HIDDEN, FEATURES), weight("r", 2, 4 * HIDDEN, HIDDEN), weight("b", 2, 8 * HIDDEN),
        weight("w2", 1, 4 * HIDDEN, 2 * HIDDEN), weight("r2", 1, 4 * HIDDEN, HIDDEN),
        weight("head", HIDDEN, 4), weight("bias", 4),
        numpy_helper.from_array(np.array([0, 0, -1], np.int64), "merged"),
        numpy_helper.from_array(np.array([0], np.int64), "axis"),
    ]  # fmt: skip
    nodes = [
        helper.make_node(
            "LSTM", ["series", "w", "r", "b"], ["both", "state"], "forth_and_back",
            hidden_size=HIDDEN, direction="bidirectional",
        ),
        helper.make_node("Transpose", ["both"], ["side_by_side"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["side_by_side", "merged"], ["second"]),
        helper.make_node("LSTM", ["second", "w2", "r2"], ["", "last"], "forth", hidden_size=HIDDEN),
        helper.make_node("Squeeze", ["last", "axis"], ["row"]),
        helper.make_node("Gemm", ["row", "head", "bias"], ["score"]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "lstm",
        [helper.make_tensor_value_info("series", TensorProto.FLOAT, [STEPS, "batch", FEATURES])],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch", 4]),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [2, "batch", HIDDEN]),
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (out / "lstm.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
