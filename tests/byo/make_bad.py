"""`python make_bad.py OUT`: files that are no ONNX models, or none that can be measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence


def single(
    kind: str = "Relu",
    *,
    dtype: int = TensorProto.FLOAT,
    shape: Sequence[int | str | None] = ("batch", 4),
    opset: int = 18,
    domain: str = "",
    result: int | None = None,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one node from `x` to `y`, unchecked."""
    graph = helper.make_graph(
        [helper.make_node(kind, ["x"], ["y"], "the_node", domain=domain, **attributes)],
        "single",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info("y", result or dtype, shape)],
    )
    imports = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def missing_external() -> onnx.ModelProto:
    """A model whose weights are in a file that is not there."""
    weights = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "gone.bin"), ("offset", "0"), ("length", "64")):
        weights.external_data.add(key=key, value=value)
    model = single()
    model.graph.initializer.append(weights)
    model.graph.node[0].CopyFrom(helper.make_node("MatMul", ["x", "w"], ["y"], "the_node"))
    return model


def escaping_external() -> onnx.ModelProto:
    """A model whose weights are said to be in a file outside its own folder."""
    model = missing_external()
    model.graph.initializer[0].external_data[0].value = "../../etc/passwd"
    return model


def make(out: Path) -> None:
    """Write one file for each mistake, named after it."""
    good = single().SerializeToString(deterministic=True)
    files = {
        "empty": b"",
        "truncated": good[: len(good) // 2],
        "not-onnx": b"This is a text, and no model of anything.\n" * 20,
        "external-missing": missing_external(),
        "external-outside": escaping_external(),
        "opset-99": single(opset=99),
        "operator-unknown": single("Frobnicate"),
        "operator-foreign": single("Frobnicate", domain="com.example"),
        "dimension-unnamed": single(shape=(None, 4)),
        "dimension-unbound": single(shape=("batch", "frames")),
        "rank-unknown": single(),
        "input-string": single("Identity", dtype=TensorProto.STRING),
        "input-complex": single("Identity", dtype=TensorProto.COMPLEX64),
        "input-none": single(),
        "decides-by-value": single("NonZero", result=TensorProto.INT64),
    }
    files["rank-unknown"].graph.input[0].type.tensor_type.ClearField("shape")
    del files["input-none"].graph.input[:]
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.SerializeToString(deterministic=True)
        (out / f"{name}.onnx").write_bytes(data)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
