"""DistilBERT with a classifier of two classes in JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Params = Mapping[str, jax.Array]

LAYERS = 6
HEADS = 12
EPSILON = 1e-12


def params(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Lay matrices out as (in, out): with (out, in) each call would transpose them again."""
    return {name: array if "embeddings" in name else array.T for name, array in weights.items()}


def apply(params: Params, input_ids: jax.Array, attention_mask: jax.Array) -> jax.Array:
    """Compute `logits`, shape (batch, 2), from tokens and mask, shape (batch, sequence), and what `params` returned."""
    seen = (attention_mask != 0)[:, None, None, :]
    values = _embeddings(params, "distilbert.embeddings", input_ids)
    for index in range(LAYERS):
        values = _block(params, f"distilbert.transformer.layer.{index}", values, seen)
    return _linear(params, "classifier", jax.nn.relu(_linear(params, "pre_classifier", values[:, 0])))


def _embeddings(params: Params, name: str, tokens: jax.Array) -> jax.Array:
    # A token outside of the vocabulary cannot come; to look for one would cost every call.
    values = jnp.take(params[f"{name}.word_embeddings.weight"], tokens, axis=0, mode="clip")
    values += params[f"{name}.position_embeddings.weight"][: tokens.shape[1]]
    return _normalisation(params, f"{name}.LayerNorm", values)


def _block(params: Params, name: str, values: jax.Array, seen: jax.Array) -> jax.Array:
    mixed = _attention(params, f"{name}.attention", values, seen)
    values = _normalisation(params, f"{name}.sa_layer_norm", mixed + values)
    inner = jax.nn.gelu(_linear(params, f"{name}.ffn.lin1", values), approximate=False)
    return _normalisation(
        params, f"{name}.output_layer_norm", _linear(params, f"{name}.ffn.lin2", inner) + values
    )


def _attention(params: Params, name: str, values: jax.Array, seen: jax.Array) -> jax.Array:
    batch, sequence, width = values.shape
    query, key, value = (
        _linear(params, f"{name}.{part}_lin", values).reshape(batch, sequence, HEADS, -1) for part in "qkv"
    )
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) * (width // HEADS) ** -0.5
    shares = jax.nn.softmax(scores, where=seen)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", shares, value)
    return _linear(params, f"{name}.out_lin", mixed.reshape(batch, sequence, width))


def _linear(params: Params, name: str, values: jax.Array) -> jax.Array:
    return values @ params[f"{name}.weight"] + params[f"{name}.bias"]


def _normalisation(params: Params, name: str, values: jax.Array) -> jax.Array:
    values = values - values.mean(-1, keepdims=True)
    scale = jax.lax.rsqrt((values * values).mean(-1, keepdims=True) + EPSILON)
    return values * scale * params[f"{name}.weight"] + params[f"{name}.bias"]
