"""`python make_keras.py OUT`: a small convolutional classifier, exported from Keras by tf2onnx.

Needs tensorflow-cpu 2.21.0 and tf2onnx 1.17.0. The exporter leaves its marks: channels last with transposes around
each convolution, a fused bias, an input named after the layer, and an unnamed dynamic batch.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np


def make(out: Path) -> None:
    """Write `keras-cnn.onnx`: input (batch, 16, 16, 3), output (batch, 10)."""
    keras.utils.set_random_seed(20260101)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3), name="image"),
            layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 1, activation="silu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model(np.zeros((1, 16, 16, 3), np.float32))  # the exporter wants one that was called
    model.export(out / "keras-cnn.onnx", format="onnx", verbose=False)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
