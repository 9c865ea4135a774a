"""`python make_transformer.py OUT`: one transformer block with a dynamic batch and a dynamic sequence.

Written once with its weights inside (`transformer.onnx`) and once with them in a file beside it (`external.onnx`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WORDS, WIDTH, HEADS = 100, 32, 4


def build() -> onnx.ModelProto:
    """Build it: input `tokens` int64 (batch, sequence), outputs `hidden` (batch, sequence, 32), `label` (batch, 3)."""
    rng = np.random.default_rng(20260104)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((rng.standard_normal(shape) * 0.2).astype(np.float32), name)

    def whole(name: str, *values: int) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(values, np.int64), name)

    def node(kind: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs.split(), [output], **attributes)

    weights = [
        weight("words", WORDS, WIDTH), weight("qkv", WIDTH, 3 * WIDTH), weight("out", WIDTH, WIDTH),
        weight("up", WIDTH, 4 * WIDTH), weight("down", 4 * WIDTH, WIDTH), weight("head", WIDTH, 3), weight("bias", 3),
        *(numpy_helper.from_array(np.ones(WIDTH, np.float32), f"scale{k}") for k in (1, 2)),
        *(weight(f"shift{k}", WIDTH) for k in (1, 2)),
        numpy_helper.from_array(np.array((WIDTH / HEADS) ** -0.5, np.float32), "temper"),
        numpy_helper.from_array(np.array(2**-0.5, np.float32), "half_root"),
        numpy_helper.from_array(np.array(1, np.float32), "one"),
        numpy_helper.from_array(np.array(0.5, np.float32), "half"),
        numpy_helper.from_array(np.array(0, np.int64), "first"),
        whole("zero", 0), whole("minus", -1), whole("heads", 3, HEADS, WIDTH // HEADS), whole("width", WIDTH),
        whole("thirds", 1, 1, 1),
    ]  # fmt: skip
    nodes = [
        node("Gather", "words tokens", "x"),
        node("LayerNormalization", "x scale1 shift1", "x1", axis=-1),
        node("MatMul", "x1 qkv", "all"),
        node("Shape", "tokens", "rows_and_steps"),
        node("Concat", "rows_and_steps heads", "split_shape", axis=0),
        node("Reshape", "all split_shape", "parts"),
        node("Transpose", "parts", "by_kind", perm=[2, 0, 3, 1, 4]),
        helper.make_node("Split", ["by_kind", "thirds"], ["q1", "k1", "v1"], axis=0),
        *(node("Squeeze", f"{name}1 zero", name) for name in "qkv"),
        node("Transpose", "k", "kt", perm=[0, 1, 3, 2]),
        node("MatMul", "q kt", "raw"),
        node("Mul", "raw temper", "tempered"),
        node("Softmax", "tempered", "attention", axis=-1),
        node("MatMul", "attention v", "mixed"),
        node("Transpose", "mixed", "together", perm=[0, 2, 1, 3]),
        node("Concat", "rows_and_steps width", "flat_shape", axis=0),
        node("Reshape", "together flat_shape", "flat"),
        node("MatMul", "flat out", "attended"),
        node("Add", "x attended", "y"),
        node("LayerNormalization", "y scale2 shift2", "y1", axis=-1),
        node("MatMul", "y1 up", "wide"),
        node("Mul", "wide half_root", "scaled"),
        node("Erf", "scaled", "bent"),
        node("Add", "bent one", "bent1"),
        node("Mul", "wide bent1", "gated"),
        node("Mul", "gated half", "gelu"),
        node("MatMul", "gelu down", "narrow"),
        node("Add", "y narrow", "hidden"),
        node("Gather", "hidden first", "begin", axis=1),
        node("Gemm", "begin head bias", "label"),
    ]
    graph = helper.make_graph(
        nodes,
        "transformer",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "sequence"])],
        [
            helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["batch", "sequence", WIDTH]),
            helper.make_tensor_value_info("label", TensorProto.FLOAT, ["batch", 3]),
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def make(out: Path) -> None:
    """Write both files, and `external.bin` with the weights of the second."""
    model = build()
    (out / "transformer.onnx").write_bytes(model.SerializeToString(deterministic=True))
    onnx.save(
        model, out / "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=256
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
