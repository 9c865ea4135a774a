"""ONNX Runtime: `InferenceSession.run` with numpy in and numpy out, straight from the ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, NotImplemented  # noqa: A004

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from runner.model import ModelFiles


UNSUPPORTED = (Fail, InvalidGraph, NotImplemented)
"""What creating a session from a valid file raises where an operator, or its version, is not known."""


class Adapter:
    """Drives ONNX Runtime on the CPU provider.

    Args:
        threads: size of the intra-op pool, the calling thread included; `None` leaves it to ONNX Runtime.
        params: `arena`: whether memory that a call has used is kept for the next.
    """

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:
        ort.set_default_logger_severity(3)  # errors only
        self._options = options = ort.SessionOptions()
        if threads is not None:
            # Told a number, it also stops pinning threads to cores that the cpuset may forbid.
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.enable_cpu_mem_arena = params["arena"]
        # Without it every call makes its own: a tenth of a call of ten microseconds.
        self._run_options = ort.RunOptions()

    def load(self, model: ModelFiles) -> None:
        """Note where the file is: reading, parsing and optimizing are one step here, all of it in `compile`."""
        self._path = model.common / "model.onnx"
        for name, size in model.sizes.items():
            self._options.add_free_dimension_override_by_name(name, size)
        self._outputs = [tensor.name for tensor in model.outputs]

    def compile(self) -> None:
        """Create the session."""
        try:
            self._session = ort.InferenceSession(
                self._path, self._options, providers=["CPUExecutionProvider"]
            )
        except UNSUPPORTED as error:
            raise NotImplementedError(str(error)) from error

    def run(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Run one synchronous inference; the outputs are the caller's own."""
        return self._session.run(self._outputs, inputs, self._run_options)

    def to_native(self, inputs: dict[str, np.ndarray]) -> ort.IOBinding:
        """Bind the inputs, and the outputs to memory that ONNX Runtime allocates."""
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(array))
        for name in self._outputs:
            binding.bind_output(name, "cpu")
        return binding

    def infer(self, native: ort.IOBinding) -> None:
        """Run one synchronous inference on bound values; run options, which `run` gains by, cost this call 30 us."""
        self._session.run_with_iobinding(native)

    def describe(self) -> dict[str, Any]:
        """Tell the version, the pool's size and what else explains the speed."""
        options = self._session.get_session_options()
        return {
            "version": ort.__version__,
            "threads": options.intra_op_num_threads or None,  # 0 says that it chose by itself
            "settings": {
                "providers": ", ".join(self._session.get_providers()),
                "execution_mode": options.execution_mode.name,
                "graph_optimization": options.graph_optimization_level.name,
                "cpu_memory_arena": str(options.enable_cpu_mem_arena),
            },
        }
