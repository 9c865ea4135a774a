"""JAX: one executable, compiled ahead of the first call, that takes the weights as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model import ModelFiles


class Adapter:
    """Drives JAX on the CPU.

    Args:
        threads: `framework.yaml` has set the pool already, by `PJRT_NPROC`; there is no other way.
        params: there are none.
    """

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:  # noqa: ARG002
        jax.config.update("jax_default_matmul_precision", "highest")
        # A synchronous call gains nothing from a second thread to run it, and pays for the hand-over.
        jax.config.update("jax_cpu_enable_async_dispatch", False)

    def load(self, model: ModelFiles) -> None:
        """Map the weights, which are laid out as the definition or the converted program wants them."""
        self._inputs = [tensor.name for tensor in model.inputs]
        self._signature = [jax.ShapeDtypeStruct(tensor.shape, tensor.dtype) for tensor in model.inputs]
        if model.has_definition("jax"):
            self._apply = model.define("jax").apply
        else:
            from jax import export  # noqa: PLC0415 - only here

            program = (model.native / "model.stablehlo").read_bytes()
            self._apply = export.deserialize(bytearray(program)).call
        # What is mapped and aligned, JAX takes as it is: the weights stay pages of their files.
        params = {path.stem: np.load(path, mmap_mode="r") for path in model.native.glob("*.npy")}
        self._params = jax.block_until_ready(jax.device_put(params))

    def compile(self) -> None:
        """Compile for this signature; weights inside the executable would be held more than once."""

        def call(params: Any, *arrays: jax.Array) -> list[jax.Array]:
            return jax.tree.leaves(self._apply(params, *arrays))

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
