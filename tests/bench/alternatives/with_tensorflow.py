# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined"
"""Other ways to call TensorFlow."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]


def alternatives(adapter: Any, model: Any, *, threads: int, params: dict[str, Any]) -> dict[str, Call]:  # noqa: ARG001
    """The same function called otherwise, and the model traced otherwise."""
    names, keras_model = adapter._inputs, adapter._model

    def plain(*tensors: Any) -> Any:
        return tf.nest.flatten(keras_model(dict(zip(names, tensors, strict=True)), training=False))

    def answer(function: Any) -> Call:
        return lambda inputs: [
            output.numpy() for output in function(*[tf.constant(inputs[name]) for name in names])
        ]

    traced = tf.function(plain, input_signature=adapter._signature)
    frozen = convert_variables_to_constants_v2(traced.get_concrete_function())
    xla = tf.function(plain, input_signature=adapter._signature, jit_compile=True).get_concrete_function()
    return {
        "tf.function, not its concrete function": answer(traced),
        "numpy handed over": lambda inputs: [
            output.numpy() for output in adapter._call(*[inputs[name] for name in names])
        ],
        "weights as constants in the graph": answer(frozen),
        "XLA": answer(xla),
        "Keras model called": answer(plain),
    }
