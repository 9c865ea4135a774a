"""The spam classifier in plain numpy and float64: what the tests compare with, and what their own frameworks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HIDDEN_LAYERS = 5


def forward(
    weights: Mapping[str, NDArray[np.float32]], inputs: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float64]]:
    """Compute `probability`, shape (batch, 1), from `features`, shape (batch, 200)."""
    values = inputs["features"].astype(np.float64)
    for index in range(HIDDEN_LAYERS):
        values = np.maximum(_linear(weights, f"hidden.{index}", values), 0)
    return {"probability": 1 / (1 + np.exp(-_linear(weights, "output", values)))}


def _linear(
    weights: Mapping[str, NDArray[np.float32]], layer: str, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    weight, bias = (weights[f"{layer}.{part}"].astype(np.float64) for part in ("weight", "bias"))
    return values @ weight.T + bias
