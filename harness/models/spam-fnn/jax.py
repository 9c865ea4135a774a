"""The spam classifier in JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN_LAYERS = 5


def apply(params: Mapping[str, jax.Array], features: jax.Array) -> jax.Array:
    """Compute `probability`, shape (batch, 1), from `features`, shape (batch, 200); `params` as in the weights file."""
    values = features
    for index in range(HIDDEN_LAYERS):
        values = jax.nn.relu(_linear(params, f"hidden.{index}", values))
    return jax.nn.sigmoid(_linear(params, "output", values))


def _linear(params: Mapping[str, jax.Array], layer: str, values: jax.Array) -> jax.Array:
    return values @ params[f"{layer}.weight"].T + params[f"{layer}.bias"]
