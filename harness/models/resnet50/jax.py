"""ResNet-50 v1.5 in JAX."""

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

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Inner channels, blocks and the stride of the first block."""
EPSILON = 1e-5


def params(weights: Mapping[str, NDArray[np.float32]]) -> Arrays:
    """Fold every normalisation into its convolution, and lay filters out as (height, width, in, out)."""
    made = {"fc.weight": weights["fc.weight"].T, "fc.bias": weights["fc.bias"]}
    for key in weights:
        name = key.removesuffix(".running_var")
        if name != key:
            filters = _convolution_of(name)
            scale = weights[f"{name}.weight"] / np.sqrt(weights[f"{name}.running_var"] + np.float32(EPSILON))
            folded = weights[f"{filters}.weight"] * scale[:, None, None, None]
            made[f"{filters}.weight"] = np.ascontiguousarray(folded.transpose(2, 3, 1, 0))
            made[f"{filters}.bias"] = weights[f"{name}.bias"] - weights[f"{name}.running_mean"] * scale
    return made


def apply(params: Mapping[str, jax.Array], pixels: jax.Array) -> jax.Array:
    """Compute `logits`, shape (batch, 1000), from `pixels`, shape (batch, 3, 224, 224), and what `params` returned."""
    values = jax.nn.relu(_convolution(params, "conv1", pixels.transpose(0, 2, 3, 1), stride=2))
    padding = ((0, 0), (1, 1), (1, 1), (0, 0))
    values = lax.reduce_window(values, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), padding)
    for number, (_, blocks, stride) in enumerate(STAGES, start=1):
        for index in range(blocks):
            values = _block(params, f"layer{number}.{index}", values, 1 if index else stride)
    return values.mean((1, 2)) @ params["fc.weight"] + params["fc.bias"]


def _block(params: Mapping[str, jax.Array], name: str, values: jax.Array, stride: int) -> jax.Array:
    around = values
    if f"{name}.downsample.0.weight" in params:
        around = _convolution(params, f"{name}.downsample.0", values, stride)
    values = jax.nn.relu(_convolution(params, f"{name}.conv1", values))
    values = jax.nn.relu(_convolution(params, f"{name}.conv2", values, stride))
    return jax.nn.relu(_convolution(params, f"{name}.conv3", values) + around)


def _convolution(params: Mapping[str, jax.Array], name: str, values: jax.Array, stride: int = 1) -> jax.Array:
    filters = params[f"{name}.weight"]
    padding = filters.shape[0] // 2
    if padding == 0:  # as a product of matrices it is quicker than as the convolution that it is
        return values[:, ::stride, ::stride] @ filters[0, 0] + params[f"{name}.bias"]
    values = lax.conv_general_dilated(
        values,
        filters,
        (stride, stride),
        ((padding, padding), (padding, padding)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return values + params[f"{name}.bias"]


def _convolution_of(normalisation: str) -> str:
    """Name the convolution before a normalisation: `bn2` follows `conv2`, `downsample.1` follows `downsample.0`."""
    if normalisation.endswith("downsample.1"):
        return normalisation.removesuffix("1") + "0"
    return normalisation.replace("bn", "conv")
