"""The toy's weights."""

import numpy as np


def make(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw a matrix and a bias."""
    weight = 2 * rng.random((4, 3), dtype=np.float32) - 1
    return {"bias": np.array([0.5, 0, -0.5], np.float32), "weight": weight}
