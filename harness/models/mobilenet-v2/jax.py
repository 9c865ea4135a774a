"""MobileNetV2 1.0 in JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.float32]]

STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
"""Of the blocks, one after the other."""
EPSILON = 1e-5


def params(weights: Mapping[str, NDArray[np.float32]]) -> Arrays:
    """Fold every normalisation into its convolution, and lay filters out as (height, width, in, out)."""
    made = {"output.weight": weights["classifier.1.weight"].T, "output.bias": weights["classifier.1.bias"]}
    for key in weights:
        norm = key.removesuffix(".running_var")
        if norm != key:
            parent, _, number = norm.rpartition(".")
            name = f"{parent}.{int(number) - 1}"  # the convolution stands before its normalisation
            scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + np.float32(EPSILON))
            folded = weights[f"{name}.weight"] * scale[:, None, None, None]
            made[f"{name}.weight"] = np.ascontiguousarray(folded.transpose(2, 3, 1, 0))
            made[f"{name}.bias"] = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return made


def apply(params: Mapping[str, jax.Array], pixels: jax.Array) -> jax.Array:
    """Compute `logits`, shape (batch, 1000), from `pixels`, shape (batch, 3, 224, 224), and what `params` returned."""
    values = jax.nn.relu6(_convolution(params, "features.0.0", pixels.transpose(0, 2, 3, 1), 2))
    for number, stride in enumerate(STRIDES, start=1):
        values = _block(params, f"features.{number}.conv", values, stride)
    values = jax.nn.relu6(_convolution(params, f"features.{len(STRIDES) + 1}.0", values))
    return values.mean((1, 2)) @ params["output.weight"] + params["output.bias"]


def _block(params: Mapping[str, jax.Array], name: str, values: jax.Array, stride: int) -> jax.Array:
    around, number = values, 0
    if f"{name}.1.0.weight" in params:  # the first block does not expand
        values, number = jax.nn.relu6(_convolution(params, f"{name}.0.0", values)), 1
    values = jax.nn.relu6(_convolution(params, f"{name}.{number}.0", values, stride))
    values = _convolution(params, f"{name}.{number + 1}", values)
    return values + around if values.shape == around.shape else values


def _convolution(params: Mapping[str, jax.Array], name: str, values: jax.Array, stride: int = 1) -> jax.Array:
    filters = params[f"{name}.weight"]
    if filters.shape[2] == 1:
        values = _depthwise(filters, values, stride)
    elif filters.shape[0] == 1:  # as a product of matrices it is quicker than as the convolution that it is
        values = values @ filters[0, 0]
    else:
        dimensions = ("NHWC", "HWIO", "NHWC")
        padding = ((1, 1), (1, 1))
        values = lax.conv_general_dilated(
            values, filters, (stride, stride), padding, dimension_numbers=dimensions
        )
    return values + params[f"{name}.bias"]


def _depthwise(filters: jax.Array, values: jax.Array, stride: int) -> jax.Array:
    """Filter each channel by itself, as a sum of nine shifted products.

    XLA fuses them into one loop over the channels; its convolution in groups takes seven times as long for the model.
    """
    padded = jnp.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = (size - 2 for size in padded.shape[1:3])
    return sum(
        padded[:, row : row + height : stride, column : column + width : stride] * filters[row, column, 0]
        for row in range(3)
        for column in range(3)
    )
