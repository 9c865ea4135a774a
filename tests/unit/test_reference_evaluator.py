"""The reference of any ONNX model, in float64 or, where that cannot be had, from ONNX Runtime."""

import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import reference
from onnx import TensorProto, helper, numpy_helper

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def model(nodes: list[Any], *, weights: dict[str, Any] | None = None, kind: int = FLOAT) -> Any:
    """A model from `x`, shape (batch, 4), to `y`."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", kind, ["batch", 4])],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def evaluate(made: Any, calls: list[dict[str, Any]], **options: float) -> tuple[list[list[Any]], str]:
    """Evaluate a model from a file, as the image does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(made.SerializeToString())
        return reference.evaluate(path, calls, **options)


ROW = np.array([[1, 2, 3, 4]], np.float32)


def test_it_computes_in_float64() -> None:
    """In float32 the one would be lost beside 10^8."""
    weights = {"large": np.full((4, 1), 1e8, np.float32), "one": np.ones(1, np.float32)}
    nodes = [
        helper.make_node("MatMul", ["x", "large"], ["product"]),
        helper.make_node("Add", ["product", "one"], ["y"]),
    ]

    ((output,),), words = evaluate(model(nodes, weights=weights), [{"x": ROW}])

    assert output.dtype == np.float64
    assert output.item() == 1_000_000_001
    assert words == reference.FLOAT64


def test_constants_casts_and_subgraphs_are_float64_too() -> None:
    scalar = helper.make_node("Constant", [], ["scalar"], value_float=0.1)
    vector = helper.make_node("Constant", [], ["vector"], value_floats=[0.5, 0.25, 0.125, 0.0625])
    tensor = helper.make_tensor("t", FLOAT, [1], [3.0])
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["inner"], value=tensor)],
        "branch",
        [],
        [helper.make_tensor_value_info("inner", FLOAT, [1])],
    )
    nodes = [
        scalar,
        vector,
        helper.make_node("Cast", ["x"], ["cast"], to=FLOAT),
        helper.make_node("If", ["true"], ["branched"], then_branch=branch, else_branch=branch),
        helper.make_node("Sum", ["cast", "scalar", "vector", "branched"], ["y"]),
    ]
    weights = {"true": np.array(True)}

    double = reference.doubled(model(nodes, weights=weights, kind=TensorProto.INT64))
    ((output,),), words = evaluate(
        model(nodes, weights=weights, kind=TensorProto.INT64), [{"x": ROW.astype(np.int64)}]
    )

    assert b"float" not in str(double).encode()
    assert double.graph.input[0].type.tensor_type.elem_type == TensorProto.INT64
    expected = ROW.astype(np.float64) + float(np.float32(0.1)) + [0.5, 0.25, 0.125, 0.0625] + 3
    assert output == pytest.approx(expected, rel=1e-15)
    assert words == reference.FLOAT64


def test_the_model_is_not_changed() -> None:
    made = model([helper.make_node("Add", ["x", "w"], ["y"])], weights={"w": np.ones(4, np.float32)})
    before = made.SerializeToString(deterministic=True)
    reference.doubled(made)
    assert made.SerializeToString(deterministic=True) == before


def test_every_call_may_have_its_own_shape() -> None:
    made = model([helper.make_node("Relu", ["x"], ["y"])])
    outputs, _ = evaluate(made, [{"x": ROW}, {"x": np.repeat(-ROW, 3, axis=0)}])
    assert [[output.shape for output in call] for call in outputs] == [[(1, 4)], [(3, 4)]]


def test_a_quantized_model_keeps_its_integers() -> None:
    weights = {"scale": np.array(0.5, np.float32), "zero": np.array(0, np.int8)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]

    ((output,),), words = evaluate(model(nodes, weights=weights), [{"x": ROW + np.float32(0.3)}])

    assert output.tolist() == [[1.5, 2.5, 3.5, 4.5]]
    assert output.dtype == np.float64
    assert words == reference.FLOAT64


def test_a_recurrent_model_is_evaluated_in_float64() -> None:
    rng = np.random.default_rng(0)
    weights = {
        "axis": np.array([0]),
        "w": rng.normal(size=(1, 12, 4)).astype(np.float32),
        "r": rng.normal(size=(1, 12, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Unsqueeze", ["x", "axis"], ["sequence"]),
        helper.make_node("LSTM", ["sequence", "w", "r"], ["", "y"], hidden_size=3),
    ]

    ((output,),), words = evaluate(model(nodes, weights=weights), [{"x": ROW}])

    gates = weights["w"][0].astype(np.float64) @ ROW[0]
    inputs, outputs, _, cells = (gates[part : part + 3] for part in (0, 3, 6, 9))
    expected = np.tanh(np.tanh(cells) / (1 + np.exp(-inputs))) / (1 + np.exp(-outputs))
    assert output[0, 0] == pytest.approx(expected, rel=1e-12)
    assert words == reference.FLOAT64


class Runtime:
    """Stands in for ONNX Runtime: doubles what it is given."""

    GraphOptimizationLevel = SimpleNamespace(ORT_DISABLE_ALL="none")
    SessionOptions = SimpleNamespace

    class InferenceSession:
        def __init__(self, model: Path, options: Any, providers: list[str]) -> None:
            assert onnx.load(model).graph.output
            assert options.graph_optimization_level == "none"
            assert providers == ["CPUExecutionProvider"]

        def run(self, _names: None, inputs: dict[str, Any]) -> list[Any]:
            return [inputs["x"] * 2]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", Runtime)


@pytest.mark.usefixtures("runtime")
def test_an_operator_without_implementation_is_left_to_onnx_runtime() -> None:
    made = model([helper.make_node("Twice", ["x"], ["y"], domain="somebody")])
    made.opset_import.append(helper.make_opsetid("somebody", 1))

    outputs, words = evaluate(made, [{"x": ROW}, {"x": ROW}])

    assert [call[0].tolist() for call in outputs] == [(2 * ROW).tolist()] * 2
    assert outputs[0][0].dtype == np.float64
    assert words.startswith(reference.FLOAT32)
    assert "Twice" in words


@pytest.mark.usefixtures("runtime")
def test_what_takes_too_long_is_left_to_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def __init__(self, _model: Any) -> None: ...

        def run(self, _names: None, _inputs: Any) -> list[Any]:
            time.sleep(10)
            return []

    monkeypatch.setattr(reference, "ReferenceEvaluator", Slow)
    began = time.monotonic()

    _, words = evaluate(model([]), [{"x": ROW}], budget_s=0.05)

    assert time.monotonic() - began < 5
    assert words.startswith(reference.FLOAT32)
    assert "TimeoutError" in words


@pytest.mark.usefixtures("runtime")
def test_what_would_take_too_long_is_found_out_by_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Slow:
        def __init__(self, _model: Any) -> None: ...

        def run(self, _names: None, _inputs: Any) -> list[Any]:
            made.append(1)
            time.sleep(0.02)
            return []

    monkeypatch.setattr(reference, "ReferenceEvaluator", Slow)

    _, words = evaluate(model([]), [{"x": ROW}] * 100, budget_s=1)

    assert len(made) == 1
    assert "it would take" in words
