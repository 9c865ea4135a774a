"""JAX's form of somebody's ONNX file: StableHLO that takes the weights as arguments, and the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import torch
from core_graph import core_graph, is_kernel, kernel_axes, where
from onnx_graph import reason
from torch._ops import OpOverloadPacket

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles

SMALL = 256
"""Elements: what has no more is no weight, and the compiler may see its values."""


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:  # noqa: ARG001
    """Write `model.stablehlo`, a `jax.export` for the CPU, and a `<name>.npy` for every weight.

    Raises:
        NotImplementedError: an operator cannot be converted; the message names it.
    """
    jax.config.update("jax_default_matmul_precision", "highest")
    lowerings = import_lowerings()
    graph = core_graph(model)
    kernels = {node for node in graph.constants if is_kernel(node)}
    values = {
        node: np.asarray(value.permute(kernel_axes(value.ndim)) if node in kernels else value, order="C")
        for node, value in graph.constants.items()
    }
    weights = {node.name: node for node, value in values.items() if value.size > SMALL}

    def call(given: dict[str, jax.Array], *inputs: jax.Array) -> list[jax.Array]:
        known = dict.fromkeys(graph.done) | {node: jax.numpy.asarray(value) for node, value in values.items()}
        known |= {weights[name]: value for name, value in given.items()}
        known |= dict(zip(graph.inputs, inputs, strict=True))
        return list(Lowering(graph.module, lowerings, kernels).run(initial_env=known))

    named = {name: values[node] for name, node in weights.items()}
    signature = [jax.ShapeDtypeStruct(tensor.shape, tensor.dtype) for tensor in model.inputs]
    exported = jax.export.export(jax.jit(call), platforms=["cpu"])(named, *signature)
    (out / "model.stablehlo").write_bytes(exported.serialize())
    for name, array in named.items():
        np.save(out / f"{name}.npy", array)


def import_lowerings() -> dict[object, Any]:
    """Import torchax's table of ATen operators in JAX.

    torchax 0.0.13 names overloads for named dimensions, which PyTorch 2.13 has no more: they get a name of no operator.
    """
    known = OpOverloadPacket.__getattr__

    def lenient(packet: OpOverloadPacket, name: str) -> object:
        return object() if "dimname" in name.lower() else known(packet, name)

    OpOverloadPacket.__getattr__ = lenient
    try:
        from torchax.ops import jaten, ops_registry  # noqa: F401, PLC0415 - jaten fills the table
    finally:
        OpOverloadPacket.__getattr__ = known
    return ops_registry.all_aten_ops


class Lowering(torch.fx.Interpreter):
    """Runs a core graph on JAX's arrays.

    Args:
        module: the graph.
        lowerings: by ATen overload or packet, torchax's operators.
        kernels: constants that are weights of convolutions in the order of `kernel_axes`.
    """

    def __init__(
        self, module: torch.fx.GraphModule, lowerings: dict[object, Any], kernels: set[torch.fx.Node]
    ) -> None:
        super().__init__(module)
        self._lowerings, self._kernels = lowerings, kernels
        self.extra_traceback = False  # what fails is told by `run_node`

    def run_node(self, n: torch.fx.Node) -> Any:
        """Run one operator.

        Raises:
            NotImplementedError: torchax has none, or fails at it.
        """
        if not isinstance(n.target, torch._ops.OpOverload):  # noqa: SLF001 - it has no public name
            return super().run_node(n)
        lowering = self._lowerings.get(n.target) or self._lowerings.get(n.target.overloadpacket)
        if lowering is None:
            raise NotImplementedError(f"{where(n)}: torchax has no form in JAX")
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        try:
            if len(n.args) > 1 and n.args[1] in self._kernels:
                return convolution(*args)
            return lowering.func(*args, **kwargs)
        except Exception as error:
            raise NotImplementedError(f"{where(n)}: {reason(error)}") from error


def convolution(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    *rest: Any,
) -> jax.Array:
    """Convolve with the channels last: at PyTorch's order XLA is slow, and turns the weights at every call.

    The transpositions of `x` and of the result cost nothing where the next operator works element by element.
    """
    spatial, groups = kernel.shape[:-2], rest[-1]
    around = [(0, 0), *((size, size) for size in padding), (0, 0)]
    x = jax.numpy.moveaxis(x, 1, -1)
    if groups == kernel.shape[-1] == x.shape[-1]:
        out = depthwise(jax.numpy.pad(x, around), kernel, stride, dilation)
    elif groups == 1 and {*spatial, *stride} == {1} and not any(padding):
        out = x @ kernel.reshape(kernel.shape[-2:])
    else:
        names = "DHW"[-len(spatial) :]
        order = (f"N{names}C", f"{names}IO", f"N{names}C")
        out = jax.lax.conv_general_dilated(
            x, kernel, stride, around[1:-1], None, dilation, order, feature_group_count=groups
        )
    return jax.numpy.moveaxis(out if bias is None else out + bias, -1, 1)


def depthwise(x: jax.Array, kernel: jax.Array, stride: Any, dilation: Any) -> jax.Array:
    """Filter every channel by itself, as a sum of shifted products: in groups XLA convolves many times as slowly.

    Args:
        x: padded, the channels last.
        kernel: (spatial..., 1, channels).
        stride: for each spatial dimension.
        dilation: for each spatial dimension.
    """
    spatial = list(zip(x.shape[1:-1], kernel.shape, stride, dilation, strict=False))
    counts = [(size - (taps - 1) * wide - 1) // step + 1 for size, taps, step, wide in spatial]

    def shifted(place: tuple[int, ...]) -> jax.Array:
        cuts = (
            slice(at * wide, at * wide + (count - 1) * step + 1, step)
            for at, count, (_, _, step, wide) in zip(place, counts, spatial, strict=True)
        )
        return x[(slice(None), *cuts)] * kernel[place][0]

    return sum(map(shifted, np.ndindex(*kernel.shape[:-2])))
