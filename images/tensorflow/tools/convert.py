"""TensorFlow's form of somebody's ONNX file: a SavedModel with the weights in variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf
from core_graph import core_graph, is_kernel, kernel_axes
from lowering import Lowering, Value

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles

SMALL = 256
"""Elements: what has no more is no weight, and stands in the graph."""


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:  # noqa: ARG001
    """Write `saved_model`, whose function `call` takes and returns tensors in the order of the ONNX file.

    Raises:
        NotImplementedError: an operator cannot be converted; the message names it.
    """
    graph = core_graph(model)
    kernels = {node for node in graph.constants if is_kernel(node)}
    values = {
        node: value.permute(kernel_axes(value.ndim)).numpy() if node in kernels else value.numpy()
        for node, value in graph.constants.items()
    }
    module = tf.Module()
    module.weights = {
        node.name: tf.Variable(value, trainable=False) for node, value in values.items() if value.size > SMALL
    }

    def call(*inputs: tf.Tensor) -> list[tf.Tensor]:
        known = dict.fromkeys(graph.done)
        for node, value in values.items():
            weight = module.weights.get(node.name)
            tensor = tf.constant(value) if weight is None else tf.convert_to_tensor(weight)
            known[node] = Value(kernel=tensor) if node in kernels else Value(tensor)
        known |= {node: Value(value) for node, value in zip(graph.inputs, inputs, strict=True)}
        outputs = Lowering(graph.module).run(initial_env=known)
        return [tf.identity(output.first()) for output in outputs]

    signature = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    module.call = tf.function(call, input_signature=signature, autograph=False)
    tf.saved_model.save(module, out / "saved_model", signatures={})
