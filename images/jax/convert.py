"""JAX's own form of a model: its parameters, laid out for the definition, each in a file that can be mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:  # noqa: ARG001
    """Write a `<name>.npy` for every parameter; its values begin at a multiple of 64 bytes, as JAX wants them."""
    weights = load_file(model.common / "weights.safetensors")
    for name, array in model.define("jax").params(weights).items():
        np.save(out / f"{name}.npy", np.asarray(array, order="C"))
