"""DistilBERT's weights, drawn from a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

VOCABULARY = 30522
POSITIONS = 512
WIDTH = 768
LAYERS = 6
INNER = 3072
CLASSES = 2

SHIFT = 0.1
"""Bound of what biases and normalisation deviate by from doing nothing."""
LOOK_GAIN = 3.0
"""Queries and keys of this size make a token look at some others more than at the rest."""


def make(rng: np.random.Generator) -> Weights:
    """Draw all weights, named as in the PyTorch module.

    Matrices are bounded by sqrt(3 / inputs), which keeps the values' variance; embeddings are of variance 1. Biases and
    normalisation are drawn about the identity, so that a framework that forgets one of them is found out.
    """
    name = "distilbert.embeddings"
    weights: Weights = {
        f"{name}.word_embeddings.weight": _uniform(rng, math.sqrt(3), VOCABULARY, WIDTH),
        f"{name}.position_embeddings.weight": _uniform(rng, math.sqrt(3), POSITIONS, WIDTH),
    }
    weights |= _normalisation(rng, f"{name}.LayerNorm")
    for index in range(LAYERS):
        weights |= _block(rng, f"distilbert.transformer.layer.{index}")
    weights |= _linear(rng, "pre_classifier", WIDTH, WIDTH)
    weights |= _linear(rng, "classifier", WIDTH, CLASSES)
    return weights


def _block(rng: np.random.Generator, name: str) -> Weights:
    weights = {}
    for layer, gain in (("q_lin", LOOK_GAIN), ("k_lin", 1), ("v_lin", 1), ("out_lin", 1)):
        weights |= _linear(rng, f"{name}.attention.{layer}", WIDTH, WIDTH, gain)
    weights |= _normalisation(rng, f"{name}.sa_layer_norm")
    weights |= _linear(rng, f"{name}.ffn.lin1", WIDTH, INNER)
    weights |= _linear(rng, f"{name}.ffn.lin2", INNER, WIDTH)
    return weights | _normalisation(rng, f"{name}.output_layer_norm")


def _linear(rng: np.random.Generator, name: str, inputs: int, outputs: int, gain: float = 1) -> Weights:
    return {
        f"{name}.weight": _uniform(rng, gain * math.sqrt(3 / inputs), outputs, inputs),
        f"{name}.bias": _uniform(rng, SHIFT, outputs),
    }


def _normalisation(rng: np.random.Generator, name: str) -> Weights:
    return {
        f"{name}.weight": np.float32(1) + _uniform(rng, SHIFT, WIDTH),
        f"{name}.bias": _uniform(rng, SHIFT, WIDTH),
    }


def _uniform(rng: np.random.Generator, bound: float, *shape: int) -> NDArray[np.float32]:
    """Draw from [-bound, bound) by single float32 operations only: the same bits on every processor."""
    return (2 * rng.random(shape, dtype=np.float32) - 1) * np.float32(bound)
