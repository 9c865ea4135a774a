"""TensorFlow's own form of a model: the architecture of a Keras model, and its variables in files of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:  # noqa: ARG001
    """Write `model.json` and, numbered in the model's order, a `.npy` for every variable.

    Loading a `.keras` file holds the weights four times: the file's bytes, what is read of them, the tensors and the
    variables.
    """
    network = model.define("tensorflow").build(load_file(model.common / "weights.safetensors"))
    for number, variable in enumerate(network.weights):
        np.save(out / f"{number:04}.npy", np.asarray(variable.numpy(), order="C"))
    for layer in network.layers:
        drawn = [name for name in vars(layer) if name.endswith("_initializer")]
        for name in drawn:  # what is drawn only to be overwritten takes time and memory
            setattr(layer, name, keras.initializers.Zeros())
    (out / "model.json").write_text(network.to_json(), encoding="utf-8")
