"""TensorFlow's own form of a model: a Keras file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safetensors.numpy import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles


def convert(model: ModelFiles, out: Path) -> None:
    """Write `model.keras`: architecture and weights."""
    weights = load_file(model.common / "weights.safetensors")
    model.define("tensorflow").build(weights).save(out / "model.keras")
