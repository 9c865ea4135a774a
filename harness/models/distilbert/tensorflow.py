"""DistilBERT with a classifier of two classes in TensorFlow, of Keras layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import ops

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

LAYERS = 6
HEADS = 12
EPSILON = 1e-12


def build(weights: Weights) -> keras.Model:
    """Build the model from `input_ids` and `attention_mask`, shape (batch, sequence), to `logits`, and fill it.

    Args:
        weights: as in `weights.safetensors`; a Dense kernel is the transpose of a PyTorch weight.
    """
    tokens = keras.Input((None,), dtype="int64", name="input_ids")
    mask = keras.Input((None,), dtype="int64", name="attention_mask")
    # Added to what is looked at: nothing, or what no exponential survives.
    unseen = (1 - ops.cast(mask[:, None, None, :], "float32")) * -1e9
    values = _embeddings(weights, "distilbert.embeddings", tokens)
    for index in range(LAYERS):
        values = _block(weights, f"distilbert.transformer.layer.{index}", values, unseen)
    values = _linear(weights, "pre_classifier", values[:, 0], activation="relu")
    logits = _linear(weights, "classifier", values)
    return keras.Model({"input_ids": tokens, "attention_mask": mask}, logits)


def _embeddings(weights: Weights, name: str, tokens: keras.KerasTensor) -> keras.KerasTensor:
    # 0, 1, ... in each row: how many there are is not known before the call.
    positions = ops.cumsum(ops.ones_like(tokens), axis=1) - 1
    values = _lookup(weights, f"{name}.word_embeddings", tokens)
    values = keras.layers.Add()([values, _lookup(weights, f"{name}.position_embeddings", positions)])
    return _normalisation(weights, f"{name}.LayerNorm", values)


def _block(
    weights: Weights, name: str, values: keras.KerasTensor, unseen: keras.KerasTensor
) -> keras.KerasTensor:
    mixed = _attention(weights, f"{name}.attention", values, unseen)
    values = _normalisation(weights, f"{name}.sa_layer_norm", keras.layers.Add()([mixed, values]))
    inner = _linear(weights, f"{name}.ffn.lin1", values, activation="gelu")
    inner = _linear(weights, f"{name}.ffn.lin2", inner)
    return _normalisation(weights, f"{name}.output_layer_norm", keras.layers.Add()([inner, values]))


def _attention(
    weights: Weights, name: str, values: keras.KerasTensor, unseen: keras.KerasTensor
) -> keras.KerasTensor:
    width = values.shape[2]
    split = keras.layers.Reshape((-1, HEADS, width // HEADS))
    query, key, value = (split(_linear(weights, f"{name}.{part}_lin", values)) for part in "qkv")
    scores = ops.matmul(ops.transpose(query, (0, 2, 1, 3)), ops.transpose(key, (0, 2, 3, 1)))
    shares = ops.softmax(scores * (width // HEADS) ** -0.5 + unseen)
    mixed = ops.transpose(ops.matmul(shares, ops.transpose(value, (0, 2, 1, 3))), (0, 2, 1, 3))
    return _linear(weights, f"{name}.out_lin", keras.layers.Reshape((-1, width))(mixed))


def _lookup(weights: Weights, name: str, indices: keras.KerasTensor) -> keras.KerasTensor:
    table = weights[f"{name}.weight"]
    layer = keras.layers.Embedding(*table.shape)
    values = layer(indices)
    layer.set_weights([table])
    return values


def _linear(
    weights: Weights, name: str, values: keras.KerasTensor, activation: str | None = None
) -> keras.KerasTensor:
    kernel = weights[f"{name}.weight"].T
    layer = keras.layers.Dense(kernel.shape[1], activation)
    values = layer(values)
    layer.set_weights([kernel, weights[f"{name}.bias"]])
    return values


def _normalisation(weights: Weights, name: str, values: keras.KerasTensor) -> keras.KerasTensor:
    layer = keras.layers.LayerNormalization(epsilon=EPSILON)
    values = layer(values)
    layer.set_weights([weights[f"{name}.weight"], weights[f"{name}.bias"]])
    return values
