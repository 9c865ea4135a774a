"""TensorFlow, from the article's call to the fair one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import setuptools  # noqa: F401 - before TensorFlow 2.16, which imports distutils: it stands in for that

import keras  # isort: skip
import tensorflow as tf  # isort: skip
from safetensors.numpy import load_file
from work import INPUT, WIDTHS

if TYPE_CHECKING:
    from work import Call, Work

PACKAGE = "tensorflow-cpu"


def make(work: Work) -> Call:
    """A compiled Keras Sequential: called eagerly until calls are compiled, then traced into one function."""
    if work.threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(work.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    hidden = [keras.layers.Dense(width, activation="relu") for width in WIDTHS[1:-1]]
    output = keras.layers.Dense(WIDTHS[-1], activation="sigmoid")
    model = keras.Sequential([keras.Input((WIDTHS[0],)), *hidden, output])
    weights = load_file(work.model.common / "weights.safetensors")
    for layer, name in zip(
        model.layers, [*(f"hidden.{index}" for index in range(len(hidden))), "output"], strict=True
    ):
        layer.set_weights([weights[f"{name}.weight"].T, weights[f"{name}.bias"]])
    model.compile(optimizer="adam", loss="binary_crossentropy")
    if not work.is_gone("work"):
        return lambda inputs: model(inputs[INPUT])
    if not work.is_gone("compiled"):
        return lambda inputs: [model(inputs[INPUT]).numpy()]
    (features,) = work.model.inputs
    signature = tf.TensorSpec(features.shape, features.dtype)
    traced = tf.function(lambda rows: model(rows, training=False), input_signature=[signature])
    call = traced.get_concrete_function()
    return lambda inputs: [call(tf.constant(inputs[INPUT])).numpy()]
