"""The spam classifier in TensorFlow, of Keras layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

WIDTHS = (200, 128, 64, 32, 16, 8)


def build(weights: Mapping[str, NDArray[np.float32]]) -> keras.Model:
    """Build the model from `features`, shape (batch, 200), to `probability`, shape (batch, 1), and fill it.

    Args:
        weights: as in `weights.safetensors`; a Dense kernel is the transpose of a PyTorch weight.
    """
    features = keras.Input((WIDTHS[0],), dtype="float32", name="features")
    values = features
    for index, width in enumerate(WIDTHS[1:]):
        values = keras.layers.Dense(width, activation="relu", name=f"hidden_{index}")(values)
    probability = keras.layers.Dense(1, activation="sigmoid", name="output")(values)
    model = keras.Model({"features": features}, probability)
    for layer in model.layers[1:]:
        name = layer.name.replace("_", ".")
        layer.set_weights([weights[f"{name}.weight"].T, weights[f"{name}.bias"]])
    return model
