"""An ONNX file as a flat PyTorch graph of concrete shapes.

onnx2pytorch knows nearly every operator of ONNX's own domain, but its module looks all of them up again at every call.
So one call is recorded, and what does not depend on the inputs (shapes, dequantized weights) is kept as it came out.
"""

from __future__ import annotations

import operator
import sys
import traceback
import types
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import inliner, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch.fx.node import map_aggregate
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray
    from runner.model import ModelFiles, Tensor

    Array = NDArray[np.generic]
    Arrays = dict[str, Array]

OWN_DOMAINS = ("", "ai.onnx")
READERS = {"__bool__", "__float__", "__index__", "__int__", "item", "numpy", "tolist", "nonzero", "unique"}
"""They return what depends on the values of a tensor: a recorded call would repeat those of the example for ever."""
SIZED = {"expand", "narrow", "repeat", "reshape", "tile", "unflatten", "view"}
"""They take sizes one by one, and the converter has them as tensors."""
JOINERS = {"cat", "stack"}
"""They alone take a list of tensors of no dimension for what it is; anywhere else it is sizes or an index."""
RANDOM = {
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
}
OPERATORS = {"__getitem__": operator.getitem, "__setitem__": operator.setitem}


def flat_graph(model: ModelFiles) -> tuple[torch.fx.GraphModule, tuple[torch.Tensor, ...]]:
    """Read `/model/model.onnx` and record it for the shapes of `model.inputs`.

    Returns:
        The graph, which takes the inputs in their order and returns the tuple of outputs, and an example of the inputs.

    Raises:
        NotImplementedError: an operator cannot be converted; the message names it.
    """
    proto = inliner.inline_local_functions(onnx.load(model.common / "model.onnx"))
    refuse_foreign(proto)
    fold_constants(proto)
    named = {tensor.name: example(tensor) for tensor in model.inputs}
    recorder = Recorder(named, proto)
    try:
        with torch.no_grad():
            module = import_converter()(proto).eval()
            with recorder:
                outputs = module(*[named[name] for name in module.input_names])
    except Exception as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        where = operator_at(proto, reversed(frames)) or "onnx2pytorch"
        raise NotImplementedError(f"{where}: {reason(error)}") from error
    return recorder.finish(outputs if isinstance(outputs, list | tuple) else [outputs]), tuple(named.values())


def example(tensor: Tensor) -> torch.Tensor:
    """An input of ones, which no operator rejects as an index, a divisor or a logarithm's argument."""
    try:
        return torch.from_numpy(np.ones(tensor.shape, tensor.dtype))
    except TypeError as error:
        raise NotImplementedError(
            f"PyTorch has no tensors of {tensor.dtype}, as input {tensor.name} is"
        ) from error


def refuse_foreign(proto: onnx.ModelProto) -> None:
    """Refuse what the converter would not: it knows operators by name alone, whatever their domain and version."""
    known = onnx.defs.onnx_opset_version()
    for node in proto.graph.node:
        if opset(proto, node) > known:
            raise NotImplementedError(
                f"operator {node.op_type} (opset {opset(proto, node)}): known up to {known}"
            )
        if node.domain not in OWN_DOMAINS:
            kind = f"{node.domain}.{node.op_type}"
            raise NotImplementedError(f"operator {kind} (opset {opset(proto, node)}): not one of ONNX's own")


def opset(proto: onnx.ModelProto, node: onnx.NodeProto) -> int:
    """The version of the operator set that a node is of; 0 where the file does not say."""
    domains = OWN_DOMAINS if node.domain in OWN_DOMAINS else (node.domain,)
    return max((entry.version for entry in proto.opset_import if entry.domain in domains), default=0)


def operator_at(proto: onnx.ModelProto, frames: Iterable[types.FrameType]) -> str:
    """Name the operator that the converter is at: its innermost frame with a node knows; empty where none does."""
    for frame in frames:
        node = frame.f_locals.get("node")
        if isinstance(node, onnx.NodeProto):
            return f"operator {node.op_type} (opset {opset(proto, node)})"
    return ""


def reason(error: Exception) -> str:
    """Say in one line why something failed."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def fold_constants(proto: onnx.ModelProto) -> None:
    """Evaluate what reads constants alone: the converter wants weights as they are, not copied or dequantized first."""
    graph = proto.graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept = {value.name for value in graph.output}
    for node in list(graph.node):
        fixed = all(name in stored for name in node.input if name) and not kept.intersection(node.output)
        if fixed and node.op_type not in RANDOM and not any(entry.HasField("g") for entry in node.attribute):
            for name, value in evaluate(node, stored, proto).items():
                stored[name] = value
                graph.initializer.append(numpy_helper.from_array(value, name))
            if node.output[0] in stored:
                graph.node.remove(node)


def evaluate(node: onnx.NodeProto, stored: Arrays, proto: onnx.ModelProto) -> Arrays:
    """The outputs of one node by name; none where ONNX's own evaluator has no such operator."""
    if node.op_type == "Identity":
        return {node.output[0]: stored[node.input[0]]}
    if node.op_type == "DequantizeLinear":
        return dequantize(node, *(stored[name] for name in node.input))
    feeds = {name: stored[name] for name in node.input if name}
    values = [onnx.ValueInfoProto(name=name) for name in feeds]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    alone = onnx.helper.make_model(
        onnx.helper.make_graph([node], "one", values, outputs), opset_imports=proto.opset_import
    )
    try:
        results = ReferenceEvaluator(alone).run(None, feeds)
    except Exception:  # noqa: BLE001 - then the node stays
        return {}
    return {value.name: np.asarray(result) for value, result in zip(outputs, results, strict=True)}


def dequantize(node: onnx.NodeProto, values: Array, scale: Array, zero: Array | None = None) -> Arrays:
    """What a DequantizeLinear makes of constants; nothing where it works by blocks."""
    if scale.ndim > 1:
        return {}
    axis = next((entry.i for entry in node.attribute if entry.name == "axis"), 1)
    shape = [-1 if scale.ndim and k == axis % values.ndim else 1 for k in range(values.ndim)]
    shift = 0 if zero is None else zero.astype(scale.dtype).reshape(shape)
    floats = (values.astype(scale.dtype) - shift) * scale.reshape(shape)
    return {node.output[0]: floats.reshape(values.shape)}


def import_converter() -> Callable[[onnx.ModelProto], torch.nn.Module]:
    """Import onnx2pytorch without torchvision, which serves six operators and has no wheel for our PyTorch."""

    def missing(*_: object, **__: object) -> None:
        raise NotImplementedError("needs torchvision")

    names = ("torchvision", "torchvision.io", "torchvision.ops")
    for name in names:
        stand_in = sys.modules[name] = types.ModuleType(name)
        stand_in.__getattr__ = lambda _: missing  # type: ignore[method-assign]
    sys.modules["torchvision"].ops = sys.modules["torchvision.ops"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from onnx2pytorch import ConvertModel, operations  # noqa: PLC0415 - not before the stand-ins
    finally:
        for name in names:  # nothing else may take them for the real ones
            del sys.modules[name]
    operations.LayerNorm.forward = fused(operations.LayerNorm.forward)
    return ConvertModel


def fused(forward: Callable[..., tuple[torch.Tensor, ...]]) -> Callable[..., tuple[torch.Tensor, ...]]:
    """Take the one operator that PyTorch has for a layer normalization: the converter's has eight."""

    def normalize(
        layer: Any, x: torch.Tensor, scale: torch.Tensor | None = None, bias: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, ...]:
        first, *others = forward(layer, x, scale, bias)
        plain = scale is not None and x.dtype == layer.accumulation_dtype
        if plain and scale.shape == x.shape[layer.axis :] and (bias is None or bias.shape == scale.shape):
            first = torch.nn.functional.layer_norm(x, scale.shape, scale, bias, layer.eps)
        return first, *others

    return normalize


def tensors(values: object) -> list[torch.Tensor]:
    """All tensors in an argument or a result, slices included."""
    found: list[torch.Tensor] = []
    map_aggregate(values, lambda value: found.append(value) if isinstance(value, torch.Tensor) else None)
    return found


class Recorder(TorchFunctionMode):
    """Records what is called on tensors that depend on the inputs; everything else is a constant of the graph.

    Args:
        inputs: by name, in order.
        proto: the model that is being run.
    """

    def __init__(self, inputs: dict[str, torch.Tensor], proto: onnx.ModelProto) -> None:
        super().__init__()
        self._proto = proto
        self._root = torch.nn.Module()
        self._graph = torch.fx.Graph()
        # By identity; the tensor is kept beside its node so that no other can get its identity.
        self._known: dict[int, tuple[torch.Tensor, torch.fx.Node]] = {}
        self._derived: set[int] = set()
        self._has_changes = False
        for index, tensor in enumerate(inputs.values()):
            self._derive(tensor, self._graph.placeholder(f"input_{index}"))

    def __torch_function__(
        self, func: Any, _types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call, and record the call where it belongs into the graph."""
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        if not any(self._is_derived(value) for value in tensors((args, kwargs))):
            return func(*args, **kwargs)
        if name in READERS or (name == "where" and len(args) == 1):
            raise NotImplementedError("what it computes takes a decision by the values of an input")
        changes = name == "__setitem__" or (name.endswith("_") and not name.startswith("__"))
        self._has_changes |= changes
        if changes and not self._is_derived(args[0]):
            # What was a constant until now begins as a copy of it at every call.
            self._derive(args[0], self._graph.call_method("clone", (self._constant(args[0].clone()),)))
        node_args = tuple(self._argument(name, value) for value in args)
        node_kwargs = {key: self._argument(name, value) for key, value in kwargs.items()}
        out = func(*args, **kwargs)
        if changes or any(not self._is_derived(value) for value in tensors(out)):
            node = self._record(func, name, node_args, node_kwargs)
            # Of all that a node can carry, exporting and decomposing keep this: so what fails later still has a name.
            callers = (frame for frame, _ in traceback.walk_stack(None))
            node.meta["stack_trace"] = operator_at(self._proto, callers)
            self._spread(out, node)
        return out

    def finish(self, outputs: list[torch.Tensor] | tuple[torch.Tensor, ...]) -> torch.fx.GraphModule:
        """Make the graph that returns these, without what nobody reads."""
        self._graph.output(tuple(self._node(value) for value in outputs))
        if not self._has_changes:  # of a change in place nobody reads the result
            self._graph.eliminate_dead_code()
        return torch.fx.GraphModule(self._root, self._graph)

    def _record(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.fx.Node:
        if name in OPERATORS:
            return self._graph.call_function(OPERATORS[name], args, kwargs)
        if name == "__get__":
            return self._graph.call_function(getattr, (args[0], func.__self__.__name__))
        if isinstance(func, types.MethodDescriptorType | types.WrapperDescriptorType):
            return self._graph.call_method(name, args, kwargs)
        return self._graph.call_function(func, args, kwargs)

    def _argument(self, name: str, argument: Any) -> Any:
        """An argument with nodes for its tensors, and numbers for those that only say a size or an index."""
        if name in OPERATORS and isinstance(argument, list) and not all(isinstance(k, int) for k in argument):
            argument = tuple(argument)  # PyTorch takes it for one too, and warns that it will not for ever
        sizes = name in SIZED or (not isinstance(argument, torch.Tensor) and name not in JOINERS)

        def convert(value: object) -> object:
            if not isinstance(value, torch.Tensor):
                return value
            whole = value.ndim == 0 and not value.dtype.is_floating_point
            return value.item() if sizes and whole and not self._is_derived(value) else self._node(value)

        return map_aggregate(argument, convert)

    def _spread(self, out: Any, node: torch.fx.Node) -> None:
        """Know the tensors of a call's result, however they are nested."""
        if isinstance(out, torch.Tensor):
            self._derive(out, node)
        elif isinstance(out, list | tuple):
            for index, part in enumerate(out):
                self._spread(part, self._graph.call_function(operator.getitem, (node, index)))

    def _derive(self, tensor: torch.Tensor, node: torch.fx.Node) -> None:
        self._known[id(tensor)] = tensor, node
        self._derived.add(id(tensor))

    def _is_derived(self, value: object) -> bool:
        return id(value) in self._derived

    def _node(self, tensor: torch.Tensor) -> torch.fx.Node:
        return self._known[id(tensor)][1] if id(tensor) in self._known else self._constant(tensor)

    def _constant(self, tensor: torch.Tensor) -> torch.fx.Node:
        name = f"constant_{len(self._known)}"
        # As the graph found it: a later change in place is another value.
        self._root.register_buffer(name, tensor.detach())
        node = self._graph.get_attr(name)
        self._known[id(tensor)] = tensor, node
        return node
