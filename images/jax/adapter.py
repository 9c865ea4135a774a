"""JAX: one executable, compiled ahead of the first call, that takes the weights as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model import ModelFiles


class Adapter:
    """Drives JAX on the CPU.

    Args:
        threads: `framework.yaml` has set the pool already, by `PJRT_NPROC`; there is no other way.
        batch: rows per call.
    """

    def __init__(self, *, threads: int | None, batch: int) -> None:  # noqa: ARG002
        self._batch = batch
        jax.config.update("jax_default_matmul_precision", "highest")
        # A synchronous call gains nothing from a second thread to run it, and pays for the hand-over.
        jax.config.update("jax_cpu_enable_async_dispatch", False)

    def load(self, model: ModelFiles) -> None:
        """Put the weights on the device, laid out as the definition wants them."""
        self._definition = model.define("jax")
        weights = load_file(model.common / "weights.safetensors")
        self._params = jax.block_until_ready(jax.device_put(self._definition.params(weights)))
        self._inputs = [entry["name"] for entry in model.spec["inputs"]]
        self._signature = [
            jax.ShapeDtypeStruct((self._batch, *entry["shape"][1:]), entry["dtype"])
            for entry in model.spec["inputs"]
        ]

    def compile(self) -> None:
        """Compile for this signature; weights inside the executable would be held more than once."""

        def call(params: Any, *arrays: jax.Array) -> list[jax.Array]:
            return jax.tree.leaves(self._definition.apply(params, *arrays))

        self._call = jax.jit(call).lower(self._params, *self._signature).compile()

    def run(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Run one inference; the outputs are read-only views of arrays that JAX never changes."""
        outputs = self._call(self._params, *[inputs[name] for name in self._inputs])
        return [np.asarray(output) for output in outputs]

    def to_native(self, inputs: dict[str, np.ndarray]) -> list[jax.Array]:
        """Put the inputs on the device."""
        return jax.block_until_ready([jax.device_put(inputs[name]) for name in self._inputs])

    def infer(self, native: list[jax.Array]) -> list[jax.Array]:
        """Run one inference on arrays of the device."""
        return jax.block_until_ready(self._call(self._params, *native))

    def describe(self) -> dict[str, Any]:
        """Tell the version; JAX has no query for its threads."""
        return {
            "version": jax.__version__,
            "threads": None,
            "settings": {
                "backend": jax.default_backend(),
                "matmul_precision": str(jax.config.jax_default_matmul_precision),
                "async_dispatch": str(jax.config.read("jax_cpu_enable_async_dispatch")),
            },
        }
