"""MobileNetV2 1.0 in TensorFlow, of Keras layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
"""Of the blocks, one after the other."""
EPSILON = 1e-5


def build(weights: Weights) -> keras.Model:
    """Build the model from `pixels`, shape (batch, 3, 224, 224), to `logits`, shape (batch, 1000), and fill it.

    Args:
        weights: as in `weights.safetensors`; a Keras filter is (height, width, in, out).
    """
    pixels = keras.Input((3, 224, 224), dtype="float32", name="pixels")
    # TensorFlow has no convolutions for channels first on a CPU.
    values = keras.layers.Permute((2, 3, 1))(pixels)
    values = _convolution(weights, "features.0", values, stride=2)
    for number, stride in enumerate(STRIDES, start=1):
        values = _block(weights, f"features.{number}.conv", values, stride)
    values = _convolution(weights, f"features.{len(STRIDES) + 1}", values)
    values = keras.layers.GlobalAveragePooling2D()(values)
    layer = keras.layers.Dense(1000)
    logits = layer(values)
    layer.set_weights([weights["classifier.1.weight"].T, weights["classifier.1.bias"]])
    return keras.Model({"pixels": pixels}, logits)


def _block(weights: Weights, name: str, values: keras.KerasTensor, stride: int) -> keras.KerasTensor:
    around, number = values, 0
    if f"{name}.1.0.weight" in weights:  # the first block does not expand
        values, number = _convolution(weights, f"{name}.0", values), 1
    values = _convolution(weights, f"{name}.{number}", values, stride)
    values = _filter(weights, f"{name}.{number + 1}", f"{name}.{number + 2}", values, 1)
    return keras.layers.Add()([values, around]) if values.shape == around.shape else values


def _convolution(
    weights: Weights, name: str, values: keras.KerasTensor, stride: int = 1
) -> keras.KerasTensor:
    return keras.layers.ReLU(6)(_filter(weights, f"{name}.0", f"{name}.1", values, stride))


def _filter(
    weights: Weights, name: str, norm: str, values: keras.KerasTensor, stride: int
) -> keras.KerasTensor:
    """Filter, with as much padding on the left as on the right; the normalisation is folded into the filters."""
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + np.float32(EPSILON))
    filters = weights[f"{name}.weight"] * scale[:, None, None, None]
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    outputs, inputs, kernel, _ = filters.shape
    padding = "same"
    if stride > 1 and kernel > 1:
        # With a stride, Keras's own padding is one more on the right than on the left.
        values, padding = keras.layers.ZeroPadding2D(kernel // 2)(values), "valid"
    if inputs == 1:
        layer = keras.layers.DepthwiseConv2D(kernel, stride, padding)
        order = (2, 3, 0, 1)
    else:
        layer = keras.layers.Conv2D(outputs, kernel, stride, padding)
        order = (2, 3, 1, 0)
    values = layer(values)
    layer.set_weights([filters.transpose(order), bias])
    return values
