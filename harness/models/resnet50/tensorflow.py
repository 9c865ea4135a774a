"""ResNet-50 v1.5 in TensorFlow, of Keras layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Inner channels, blocks and the stride of the first block."""
EPSILON = 1e-5


def build(weights: Weights) -> keras.Model:
    """Build the model from `pixels`, shape (batch, 3, 224, 224), to `logits`, shape (batch, 1000), and fill it.

    Args:
        weights: as in `weights.safetensors`; a Keras filter is (height, width, in, out).
    """
    pixels = keras.Input((3, 224, 224), dtype="float32", name="pixels")
    # TensorFlow has no convolutions for channels first on a CPU.
    values = keras.layers.Permute((2, 3, 1))(pixels)
    values = keras.layers.ReLU()(_convolution(weights, "conv1", "bn1", values, stride=2))
    # What is padded with zeros is a ReLU's: they are never the largest.
    values = keras.layers.ZeroPadding2D(1)(values)
    values = keras.layers.MaxPooling2D(3, 2)(values)
    for number, (_, blocks, stride) in enumerate(STAGES, start=1):
        for index in range(blocks):
            values = _block(weights, f"layer{number}.{index}", values, 1 if index else stride)
    values = keras.layers.GlobalAveragePooling2D()(values)
    layer = keras.layers.Dense(1000)
    logits = layer(values)
    layer.set_weights([weights["fc.weight"].T, weights["fc.bias"]])
    return keras.Model({"pixels": pixels}, logits)


def _block(weights: Weights, name: str, values: keras.KerasTensor, stride: int) -> keras.KerasTensor:
    around = values
    if f"{name}.downsample.0.weight" in weights:
        around = _convolution(weights, f"{name}.downsample.0", f"{name}.downsample.1", values, stride)
    values = keras.layers.ReLU()(_convolution(weights, f"{name}.conv1", f"{name}.bn1", values))
    values = keras.layers.ReLU()(_convolution(weights, f"{name}.conv2", f"{name}.bn2", values, stride))
    values = _convolution(weights, f"{name}.conv3", f"{name}.bn3", values)
    return keras.layers.ReLU()(keras.layers.Add()([values, around]))


def _convolution(
    weights: Weights, name: str, norm: str, values: keras.KerasTensor, stride: int = 1
) -> keras.KerasTensor:
    """Filter, with as much padding on the left as on the right; the normalisation is folded into the filters."""
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + np.float32(EPSILON))
    filters = weights[f"{name}.weight"] * scale[:, None, None, None]
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    outputs, _, kernel, _ = filters.shape
    padding = "same"
    if stride > 1 and kernel > 1:
        # With a stride, Keras's own padding is one more on the right than on the left.
        values, padding = keras.layers.ZeroPadding2D(kernel // 2)(values), "valid"
    layer = keras.layers.Conv2D(outputs, kernel, stride, padding)
    values = layer(values)
    layer.set_weights([filters.transpose(2, 3, 1, 0), bias])
    return values
