"""MobileNetV2's weights, drawn from a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

STAGES = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))
"""Expansion, output channels and blocks."""
FIRST, LAST = 32, 1280
CLASSES = 1000

GAIN = 2.7
"""Filters bounded by GAIN / sqrt(values read) make values of variance 1 of what a ReLU leaves of such values."""
LINEAR_GAIN = math.sqrt(3)
"""The same for values that no ReLU cut."""
BRANCH = 0.5
"""Share of a block's convolutions in its output: it keeps the sum from growing from block to block."""
RELU_MEAN = 0.4
"""Mean of what a ReLU leaves of values of mean 0 and variance 1."""
OUTPUT_GAIN = 3.0
SHIFT = 0.1
"""Bound of what biases and normalisation deviate by from doing nothing."""


def make(rng: np.random.Generator) -> Weights:
    """Draw all weights, named as in the PyTorch module.

    What a ReLU leaves is positive, and a filter passes that mean on as a constant: after fifty layers all images would
    look alike. So a filter that reads many channels is balanced: its upper half is the lower half negated. One that
    reads a single channel cannot be, and its normalisation takes the mean off, as after training. Otherwise
    normalisation is drawn about the identity, so that a framework that forgets one of its four parts is found out.
    """
    weights: Weights = {
        "features.0.0.weight": _uniform(rng, LINEAR_GAIN / math.sqrt(3 * 3 * 3), FIRST, 3, 3, 3)
    }
    weights |= _normalisation(rng, "features.0.1", FIRST)
    inputs, number = FIRST, 0
    for expansion, outputs, blocks in STAGES:
        for _ in range(blocks):
            number += 1
            weights |= _block(rng, f"features.{number}.conv", inputs, outputs, expansion)
            inputs = outputs
    number += 1
    weights[f"features.{number}.0.weight"] = _balanced(rng, LINEAR_GAIN, LAST, inputs, 1, 1)
    weights |= _normalisation(rng, f"features.{number}.1", LAST)
    weights["classifier.1.weight"] = _balanced(rng, OUTPUT_GAIN, CLASSES, LAST)
    weights["classifier.1.bias"] = _uniform(rng, 0.1, CLASSES)
    return weights


def _block(rng: np.random.Generator, name: str, inputs: int, outputs: int, expansion: int) -> Weights:
    inner, number, weights = expansion * inputs, 0, {}
    if expansion > 1:
        weights[f"{name}.0.0.weight"] = _balanced(rng, LINEAR_GAIN, inner, inputs, 1, 1)
        weights |= _normalisation(rng, f"{name}.0.1", inner)
        number = 1
    taps = _uniform(rng, GAIN / 3, inner, 1, 3, 3)
    weights[f"{name}.{number}.0.weight"] = taps
    weights |= _normalisation(rng, f"{name}.{number}.1", inner)
    # One addition after the other: the order in which numpy sums up by itself is the processor's business.
    total = sum(taps[:, 0, row, column] for row in range(3) for column in range(3))
    weights[f"{name}.{number}.1.running_mean"] += np.float32(RELU_MEAN) * total
    share = BRANCH if inputs == outputs else 1
    weights[f"{name}.{number + 1}.weight"] = _balanced(rng, share * GAIN, outputs, inner, 1, 1)
    weights |= _normalisation(rng, f"{name}.{number + 2}", outputs)
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
