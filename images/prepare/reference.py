"""The reference of any ONNX model: what every framework has to reproduce, in float64 where that can be had.

ONNX's own reference implementation is plain numpy, one operator after the other, and shares no code with any of the
measured frameworks. It computes in the types that it is given: a model whose float32 and 16-bit values are all turned
into float64 is evaluated in float64. Where it cannot do it, or not within the budget, ONNX Runtime does it in float32
without optimizing the graph.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from numpy.typing import NDArray

    Array = NDArray[Any]

FLOAT64 = "ONNX's reference implementation, float64"
FLOAT32 = "ONNX Runtime without graph optimizations, float32"
BUDGET_S = 60.0
"""Seconds that the reference implementation may take for all calls."""
NARROW = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)
"""Types that are widened."""
TYPED = ("to", "dtype", "output_dtype", "output_datatype")
"""Attributes that name the type of what an operator makes."""


def evaluate(
    path: Path, calls: Sequence[dict[str, Array]], budget_s: float = BUDGET_S
) -> tuple[list[list[Array]], str]:
    """Compute the outputs of every call, in the order of the model's outputs.

    Must be called in the main thread: the time is limited by a signal.

    Args:
        path: of the ONNX file, external weights beside it.
        calls: the inputs of each, by name.
        budget_s: seconds that the reference implementation may take for all calls.

    Returns:
        The outputs of each call, floating-point ones in float64 either way; and in words how they were computed.
    """
    try:
        return _in_float64(onnx.load(path), calls, budget_s), FLOAT64
    except Exception as error:  # noqa: BLE001  # an operator may fail in any way; what it was is told
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return _in_float32(path, calls), f"{FLOAT32}, as the reference implementation failed ({reason})"


def doubled(model: onnx.ModelProto) -> onnx.ModelProto:
    """Copy a model with all that is float32, or narrower, turned into float64: weights, constants, casts and types."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _double_graph(copy.graph)
    for function in copy.functions:
        for node in function.node:
            _double_node(node)
    return copy


def _in_float64(
    model: onnx.ModelProto, calls: Sequence[dict[str, Array]], budget_s: float
) -> list[list[Array]]:
    with _limit(budget_s):
        session = ReferenceEvaluator(doubled(model))
        outputs: list[list[Array]] = []
        for number, call in enumerate(calls, start=1):
            started = time.monotonic()
            inputs = {name: _widen(array) for name, array in call.items()}
            made: Any = session.run(None, inputs)
            outputs.append([_widen(array) for array in made])
            left = (time.monotonic() - started) * (len(calls) - number)
            if number == 1 and left > budget_s:
                raise TimeoutError(f"it would take {left:.0f} s")
    return outputs


def _in_float32(path: Path, calls: Sequence[dict[str, Array]]) -> list[list[Array]]:
    onnxruntime = import_module("onnxruntime")  # only here: few models need it
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(path, options, providers=providers)
    return [[_widen(array) for array in session.run(None, call)] for call in calls]


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside after so many seconds.

    Raises:
        TimeoutError: it was not done by then.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"it took more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _widen(array: Array) -> Array:
    return array.astype(np.float64) if np.issubdtype(array.dtype, np.floating) else array


def _double_graph(graph: GraphProto) -> None:
    for tensor in graph.initializer:
        _double_tensor(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type in NARROW:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        _double_node(node)


def _double_node(node: onnx.NodeProto) -> None:
    for attribute in node.attribute:
        if attribute.name in TYPED and attribute.i in NARROW:
            attribute.i = TensorProto.DOUBLE
        elif attribute.name in {"value_float", "value_floats"}:
            array = np.array(attribute.floats or attribute.f, np.float64)
            attribute.CopyFrom(onnx.helper.make_attribute("value", numpy_helper.from_array(array)))
        elif attribute.type == AttributeProto.TENSOR:
            _double_tensor(attribute.t)
        elif attribute.type == AttributeProto.GRAPH:
            _double_graph(attribute.g)


def _double_tensor(tensor: TensorProto) -> None:
    if tensor.data_type in NARROW:
        array = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
