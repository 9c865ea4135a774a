"""The weights, drawn from the seed of model.yaml. It runs in a container without a network."""

from __future__ import annotations

import math

import numpy as np

INPUTS, HIDDEN, OUTPUTS = 32, 64, 4


def make(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw every tensor of graph.onnx that has no data, by its name, as float32.

    They are scaled so that the outputs depend on the inputs: a reference that is nearly the same for all rows is
    refused. Biases are not zero, so that a framework that forgets one is found out.

    Trained weights serve as well. Put them into a file of this folder, and return what
    `np.load(pathlib.Path(__file__).with_name("weights.npz"))` holds.
    """
    return {
        "hidden.weight": _uniform(rng, math.sqrt(6 / INPUTS), HIDDEN, INPUTS),
        "hidden.bias": _uniform(rng, 0.1, HIDDEN),
        "output.weight": _uniform(rng, math.sqrt(6 / HIDDEN), OUTPUTS, HIDDEN),
        "output.bias": _uniform(rng, 0.1, OUTPUTS),
    }


def _uniform(rng: np.random.Generator, bound: float, *shape: int) -> np.ndarray:
    """Draw from [-bound, bound) by single float32 operations only: the same bits on every processor."""
    return (2 * rng.random(shape, dtype=np.float32) - 1) * np.float32(bound)
