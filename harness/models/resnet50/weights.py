"""ResNet-50's weights, drawn from a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Inner channels and blocks."""
EXPANSION = 4
CLASSES = 1000

GAIN = 2.6
"""Filters bounded by GAIN / sqrt(values read) make values of variance 1 of what a ReLU leaves of such values."""
BRANCH = 0.5
"""Share of a block's convolutions in its output: it keeps the sum from growing from block to block."""
FIRST_GAIN = math.sqrt(3)
"""The same for values that no ReLU cut."""
OUTPUT_GAIN = 3.0
SHIFT = 0.1
"""Bound of what biases and normalisation deviate by from doing nothing."""


def make(rng: np.random.Generator) -> Weights:
    """Draw all weights, named as in the PyTorch module.

    Every filter is balanced: the half of it that reads the upper channels is the lower half negated. What a ReLU
    leaves is positive, and a filter that is not balanced passes that mean on as a constant: after fifty layers all
    images would look alike. Batch normalisation is drawn about the identity, so that a framework that forgets one of
    its four parts is found out.
    """
    weights: Weights = {"conv1.weight": _uniform(rng, FIRST_GAIN / math.sqrt(3 * 7 * 7), 64, 3, 7, 7)}
    weights |= _normalisation(rng, "bn1", 64)
    inputs = 64
    for number, (inner, blocks) in enumerate(STAGES, start=1):
        for index in range(blocks):
            weights |= _block(rng, f"layer{number}.{index}", inputs, inner)
            inputs = EXPANSION * inner
    weights["fc.weight"] = _balanced(rng, OUTPUT_GAIN, CLASSES, inputs)
    weights["fc.bias"] = _uniform(rng, 0.1, CLASSES)
    return weights


def _block(rng: np.random.Generator, name: str, inputs: int, inner: int) -> Weights:
    outputs = EXPANSION * inner
    weights = {
        f"{name}.conv1.weight": _balanced(rng, GAIN, inner, inputs, 1, 1),
        f"{name}.conv2.weight": _balanced(rng, GAIN, inner, inner, 3, 3),
        f"{name}.conv3.weight": _balanced(rng, BRANCH * GAIN, outputs, inner, 1, 1),
    }
    for index, channels in enumerate((inner, inner, outputs), start=1):
        weights |= _normalisation(rng, f"{name}.bn{index}", channels)
    if name.endswith(".0"):
        weights[f"{name}.downsample.0.weight"] = _balanced(rng, GAIN, outputs, inputs, 1, 1)
        weights |= _normalisation(rng, f"{name}.downsample.1", outputs)
    return weights


def _normalisation(rng: np.random.Generator, name: str, channels: int) -> Weights:
    one = np.float32(1)
    return {
        f"{name}.weight": one + _uniform(rng, SHIFT, channels),
        f"{name}.bias": _uniform(rng, SHIFT, channels),
        f"{name}.running_mean": _uniform(rng, SHIFT, channels),
        f"{name}.running_var": one + _uniform(rng, SHIFT, channels),
    }


def _balanced(
    rng: np.random.Generator, gain: float, outputs: int, inputs: int, *kernel: int
) -> NDArray[np.float32]:
    """Draw filters of shape (outputs, inputs, ...), bounded by gain / sqrt(values read), that sum up to nothing."""
    half = _uniform(rng, gain / math.sqrt(inputs * math.prod(kernel)), outputs, inputs // 2, *kernel)
    return np.concatenate([half, -half], axis=1)


def _uniform(rng: np.random.Generator, bound: float, *shape: int) -> NDArray[np.float32]:
    """Draw from [-bound, bound) by single float32 operations only: the same bits on every processor."""
    return (2 * rng.random(shape, dtype=np.float32) - 1) * np.float32(bound)
