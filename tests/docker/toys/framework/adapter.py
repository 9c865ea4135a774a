"""A framework that runs a model's `toy.py`, which is plain numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from runner.model import ModelFiles


class Adapter:
    """Drives numpy; the variant `doubled` answers twice as much as it should."""

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:  # noqa: ARG002
        self.factor = {"plain": 1, "doubled": 2}[params["kind"]]

    def load(self, model: ModelFiles) -> None:
        """Load definition and weights."""
        self.apply = model.define("toy").apply
        self.weights = load_file(model.common / "weights.safetensors")
        self.inputs = [tensor.name for tensor in model.inputs]

    def compile(self) -> None:
        """Nothing to compile."""

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run one call."""
        return [self.factor * self.apply(self.weights, *[inputs[name] for name in self.inputs])]

    def to_native(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """There are no tensors but numpy's."""
        return inputs

    def infer(self, native: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The same on the second clock."""
        return self.run(native)

    def describe(self) -> dict[str, Any]:
        """Tell numpy's version."""
        return {"version": np.__version__, "threads": None, "settings": {}}
