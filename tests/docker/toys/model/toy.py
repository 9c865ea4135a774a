"""The toy model for the toy framework."""

import numpy as np


def apply(weights: dict[str, np.ndarray], values: np.ndarray) -> np.ndarray:
    """Compute `scores` from `values`."""
    return values @ weights["weight"] + weights["bias"]
