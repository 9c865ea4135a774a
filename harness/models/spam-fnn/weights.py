"""The spam classifier's weights, drawn from a seed."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTHS = (200, 128, 64, 32, 16, 8, 1)
OUTPUT_GAIN = 4
BIAS_BOUND = 0.1


def make(rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """Draw all weights, named as in the PyTorch module: `<layer>.weight` (out, in) and `<layer>.bias` (out,).

    He's uniform scaling keeps the activations' size through the ReLU layers. The inputs all have about the same mean,
    which leaves little difference between rows at the end: the gain spreads the last layer over the sigmoid again.
    Biases are not zero, so that a framework that forgets one is found out.
    """
    layers = [*(f"hidden.{index}" for index in range(len(WIDTHS) - 2)), "output"]
    weights = {}
    for layer, (inputs, outputs) in zip(layers, pairwise(WIDTHS), strict=True):
        gain = OUTPUT_GAIN if layer == "output" else 1
        weights[f"{layer}.bias"] = _uniform(rng, BIAS_BOUND, outputs)
        weights[f"{layer}.weight"] = _uniform(rng, gain * math.sqrt(6 / inputs), outputs, inputs)
    return weights


def _uniform(rng: np.random.Generator, bound: float, *shape: int) -> NDArray[np.float32]:
    """Draw from [-bound, bound) by single float32 operations only: the same bits on every processor."""
    return (2 * rng.random(shape, dtype=np.float32) - 1) * np.float32(bound)
