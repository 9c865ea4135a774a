"""A framework whose call takes a known amount of work: `PRODUCTS` matrix products, several milliseconds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from runner.model import ModelFiles

PRODUCTS = int(os.environ["PRODUCTS"])
SIDE = 320


class Adapter:
    """Answers with the reference, after its work."""

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:
        self.matrix = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
        self.product = np.empty_like(self.matrix)

    def load(self, model: ModelFiles) -> None:
        """Load the model's own reference as the thing to run."""
        self.forward = model.define("numpy").forward
        self.weights = model.define("weights").make(np.random.default_rng(model.spec["seed"]))

    def compile(self) -> None:
        """Nothing to compile."""

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run one call."""
        for _ in range(PRODUCTS):
            np.matmul(self.matrix, self.matrix, out=self.product)
        return list(self.forward(self.weights, inputs).values())

    def to_native(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """There are no tensors but numpy's."""
        return inputs

    def infer(self, native: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The same on the second clock."""
        return self.run(native)

    def describe(self) -> dict[str, Any]:
        """Say what every adapter says."""
        return {"version": "1.0", "threads": None, "settings": {}}
