"""The spam classifier in JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

HIDDEN_LAYERS = 5


def params(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Lay the weights out as (in, out): with (out, in) each call would transpose them again."""
    return {name: array.T for name, array in weights.items()}


def apply(params: Mapping[str, jax.Array], features: jax.Array) -> jax.Array:
    """Compute `probability`, shape (batch, 1), from `features`, shape (batch, 200), and what `params` returned."""
    values = features
    for index in range(HIDDEN_LAYERS):
        values = jax.nn.relu(_linear(params, f"hidden.{index}", values))
    return jax.nn.sigmoid(_linear(params, "output", values))


def _linear(params: Mapping[str, jax.Array], layer: str, values: jax.Array) -> jax.Array:
    return values @ params[f"{layer}.weight"] + params[f"{layer}.bias"]
