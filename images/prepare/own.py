"""A user's own ONNX file: what it takes and gives, found in the file itself, or why it cannot be used.

The file is never changed. What the matrix says of it stands beside it in `own.json`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto
from runner.model import OWN_FILE
from telling import RefusedError, progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SEED = 1
DTYPES = {
    TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16",
    TensorProto.INT8: "int8", TensorProto.INT16: "int16", TensorProto.INT32: "int32",
    TensorProto.INT64: "int64", TensorProto.UINT8: "uint8", TensorProto.UINT16: "uint16",
    TensorProto.UINT32: "uint32", TensorProto.UINT64: "uint64", TensorProto.BOOL: "bool",
}  # fmt: skip
"""What numpy can hold, and so what all frameworks can be fed; of float64 see `check_precision`."""
FEW = 16
"""Elements of a constant that is a scale, a limit or a size, and no weight."""
BATCH_NAMES = ("batch", "batch_size", "n")
"""What exporters call the dimension."""
UNIT_RANGE = (0.0, 1.0)
"""From which real inputs are drawn unless the matrix says otherwise."""
QUANTIZED = re.compile(r"(Dynamic)?(Quantize|Dequantize)Linear|QLinear\w+|\w+Integer")
"""Operators of a model that computes in whole numbers of eight bits."""
QUANTIZED_TOLERANCE, HALF_TOLERANCE, TOLERANCE = 2e-2, 1e-2, 1e-4
"""What a framework may sum up, round or saturate otherwise than the reference, by the coarsest type inside."""
HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


def describe_own(folder: Path) -> dict[str, Any]:
    """The specification of an ONNX file.

    Raises:
        RefusedError: it cannot be used as it is; what to do stands in the error.
    """
    told = json.loads((folder / OWN_FILE).read_text(encoding="utf-8"))
    progress("reading", 0)
    model = read_model(folder)
    check_precision(model)
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [entry for value in model.graph.input if value.name not in stored for entry in [tensor(value)]]
    outputs = [tensor(value) for value in model.graph.output]
    if not inputs:
        raise RefusedError("it has no inputs", why="its answer never changes, so there is nothing to measure")
    if told["task"] == "classification":
        check_scores(outputs[0])
    dims = bind(inputs, told["dims"])
    ranges = draw_from(inputs, told["ranges"])
    return {
        "title": told["title"],
        "source": "a user's own ONNX file",
        "seed": SEED,
        "parameters": sum(int(np.prod(each.dims)) for each in model.graph.initializer),
        "multiply_adds": None,
        "sequence": None,
        "task": told["task"],
        "tolerance": told["tolerance"] or usual_tolerance(model),
        "dims": dims,
        "independent_rows": False,
        "inputs": [{**entry, **ranges[entry["name"]]} for entry in inputs],
        "outputs": outputs,
    }


def read_model(folder: Path) -> onnx.ModelProto:
    """Read and check the file, without the weights that lie outside it.

    Raises:
        RefusedError: no ONNX file, a broken one, one that is too new, or one without its weights.
    """
    again = "export it again, or copy the whole file"
    path = folder / "model.onnx"
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise RefusedError("it is no ONNX file, or only a part of one", why=str(error), fix=again) from error
    if not model.ir_version or not model.graph.node:
        raise RefusedError("it is no ONNX file, or only a part of one", why="no graph is in it", fix=again)
    newest = onnx.defs.onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and opset.version > newest:
            raise RefusedError(
                f"it is of opset {opset.version}, and the newest that is known here is {newest}",
                why="it comes from a newer exporter, or its number is wrong",
                fix=f"export it for opset {newest} or below",
            )
    for name in external_names(model):
        if not (folder / name).is_file():
            raise RefusedError(
                f"its weights are in {name!r}, which is not beside it",
                why="weights beyond 2 GB, or by choice, are in files of their own",
                fix="copy that file into the same folder",
            )
    try:
        onnx.checker.check_model(path)
    except onnx.checker.ValidationError as error:
        raise RefusedError("it is no valid ONNX model", why=str(error), fix=again) from error
    return model


def external_names(model: onnx.ModelProto) -> set[str]:
    """The files in which the model says that weights are."""
    return {
        entry.value
        for each in model.graph.initializer
        if each.data_location == TensorProto.EXTERNAL
        for entry in each.external_data
        if entry.key == "location"
    }


def check_precision(model: onnx.ModelProto) -> None:
    """See that it does not compute in float64, as not all frameworks do.

    Raises:
        RefusedError: an input, an output or a weight is float64; a few numbers for an operator that wants them are not.
    """
    stored = {each.name for each in model.graph.initializer}
    values = (value for value in (*model.graph.input, *model.graph.output) if value.name not in stored)
    wide = [value.name for value in values if value.type.tensor_type.elem_type == TensorProto.DOUBLE]
    wide += [
        name
        for name, each in constants(model.graph)
        if each.data_type == TensorProto.DOUBLE and np.prod(each.dims) > FEW
    ]
    if wide:
        raise RefusedError(
            f"it computes in float64: {wide[0]!r} is of that type",
            why="JAX and OpenVINO would compute in float32, and so do less than the others",
            fix="convert it to float32 first (PyTorch: model.float(); skl2onnx: export it with a float32 array)",
        )


def constants(graph: onnx.GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """The tensors that lie in a graph, in its operators and in their branches, by a name of them or their operator."""
    yield from ((each.name, each) for each in graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            yield node.name or node.op_type, attribute.t
            yield from constants(attribute.g)


def tensor(value: onnx.ValueInfoProto) -> dict[str, Any]:
    """Name, shape and type of an input or output; a dimension without a size has a name, its own or its place.

    Raises:
        RefusedError: it is no tensor, or one that numpy has no type for.
    """
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        what = f"{value.name!r} is a {(kind or 'value without a type').removesuffix('_type')}, not a tensor"
        fix = "export it with tensors only (skl2onnx: options={'zipmap': False})"
        raise RefusedError(what, fix=fix)
    found = value.type.tensor_type
    if found.elem_type not in DTYPES:
        known = found.elem_type in TensorProto.DataType.values()
        name = TensorProto.DataType.Name(found.elem_type).lower() if known else f"number {found.elem_type}"
        why = f"the types are {', '.join(DTYPES.values())}"
        raise RefusedError(f"{value.name!r} is of type {name}, which nobody can be fed", why=why)
    shape = [
        each.dim_value
        if each.HasField("dim_value") and each.dim_value > 0
        else each.dim_param or f"{value.name}.{axis}"
        for axis, each in enumerate(found.shape.dim)
    ]
    return {"name": value.name, "shape": shape, "dtype": DTYPES[found.elem_type]}


def bind(inputs: Iterable[dict[str, Any]], told: Mapping[str, int | str]) -> dict[str, int | str]:
    """What each dynamic dimension of the inputs stands for: as told, else the one called so is the batch.

    Where none is called so, it is the first dimension of the first input.

    Raises:
        RefusedError: one is left without a size, or there is none of a name that was told.
    """
    inputs = list(inputs)
    names = list(dict.fromkeys(size for each in inputs for size in each["shape"] if isinstance(size, str)))
    unknown = sorted(told.keys() - set(names))
    if unknown:
        raise RefusedError(
            f"it has no dynamic dimension {unknown[0]!r}",
            why=f"its dynamic dimensions are {', '.join(names) or 'none'}",
            fix="correct `dims` in the matrix",
        )
    if "batch" not in told.values():
        leading = inputs[0]["shape"][:1]
        likely = [name for name in names if name.lower() in BATCH_NAMES] or [
            name for name in names if name in leading
        ]
        told = {**{name: "batch" for name in likely[:1] if name not in told}, **told}
    left = [name for name in names if name not in told]
    if left:
        places = [each["name"] for each in inputs if left[0] in each["shape"]]
        raise RefusedError(
            f"its dimension {left[0]!r} has no size",
            why=f"it is dynamic in {', '.join(places)}",
            fix=f"say in the matrix what it is: `dims: {{{left[0]}: 128}}`, or `sequence`, or `batch`",
        )
    return dict(told)


def draw_from(
    inputs: Iterable[dict[str, Any]], told: Mapping[str, tuple[float, float]]
) -> dict[str, dict[str, float]]:
    """The range of every input: as told, else the unit range of real ones and both values of yes and no.

    Raises:
        RefusedError: an integer input without a range, or a range for what is no input.
    """
    ranges: dict[str, dict[str, float]] = {}
    names = [each["name"] for each in inputs]
    unknown = sorted(told.keys() - set(names))
    if unknown:
        what, why = f"it has no input {unknown[0]!r}", f"its inputs are {', '.join(names)}"
        raise RefusedError(what, why=why, fix="correct `inputs` in the matrix")
    for each in inputs:
        name, kind = each["name"], np.dtype(each["dtype"]).kind
        if kind in "iu" and name not in told:
            raise RefusedError(
                f"nobody has said from where to draw its input {name!r}",
                why="whole numbers mean something: tokens, indices, a mask",
                fix=f"give its range in the matrix: `inputs: {{{name}: {{low: 0, high: 1000}}}}`",
            )
        low, high = told.get(name, (0.0, 2.0) if kind == "b" else UNIT_RANGE)
        if kind in "iu" and not fits(low, high, np.iinfo(each["dtype"])):
            raise RefusedError(
                f"the range of its input {name!r} holds what {each['dtype']} cannot",
                why=f"it goes from {low:g} to below {high:g}",
                fix="correct `inputs` in the matrix: whole numbers that the type can hold",
            )
        ranges[name] = {"low": low, "high": high}
    return ranges


def fits(low: float, high: float, limits: np.iinfo) -> bool:
    """Whether a range is one of whole numbers that a type can hold."""
    whole = low == int(low) and high == int(high)
    return whole and limits.min <= low and high - 1 <= limits.max


def check_scores(output: Mapping[str, Any]) -> None:
    """See that the best class of an output can be told.

    Raises:
        RefusedError: it is no table of scores.
    """
    shape = output["shape"]
    if not output["dtype"].startswith("float") or len(shape) < 2 or shape[-1] == 1:
        raise RefusedError(
            f"its first output {output['name']!r} scores no classes",
            why=f"it is {output['dtype']} of shape {shape}; scores are real numbers, two or more in the last dimension",
            fix="leave `task: classification` away, or export the scores first",
        )


def usual_tolerance(model: onnx.ModelProto) -> float:
    """What the coarsest of the types in which it computes justifies."""
    if any(QUANTIZED.fullmatch(node.op_type) for node in model.graph.node):
        return QUANTIZED_TOLERANCE
    types = {each.data_type for each in model.graph.initializer}
    types |= {value.type.tensor_type.elem_type for value in model.graph.input}
    for attribute in (attribute for node in model.graph.node for attribute in node.attribute):
        types.add(attribute.t.data_type)
        types |= {attribute.i} if attribute.name == "to" else set()
    return HALF_TOLERANCE if types & set(HALVES) else TOLERANCE
