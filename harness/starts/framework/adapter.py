"""NAME: ONNX Runtime on the CPU, to begin with. Put your own runtime in its place, method by method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnxruntime as ort  # phase `import`: imports of the runtime and of numpy stand here, and nothing of the runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from runner.model import ModelFiles


class Adapter:
    """Found by this name; a new one is made in every trial, and its methods are called in this order.

    Raise `NotImplementedError` where the runtime cannot do what a model asks for: the cell is `unsupported` then, with
    your words. Anything else that is raised is a `crash`.
    """

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:
        """Phase `load`: set the thread count everywhere the runtime has one; leave it alone where it is `None`.

        `params` has a value for each parameter of framework.yaml.
        """
        self._options = ort.SessionOptions()
        self._options.enable_cpu_mem_arena = params["arena"]
        if threads is not None:
            self._options.intra_op_num_threads = threads
            self._options.inter_op_num_threads = 1

    def load(self, model: ModelFiles) -> None:
        """Phase `load`: bring the model into memory.

        `model.common` is the folder that all frameworks share (`model.onnx`, `weights.safetensors`, the model's own
        files), `model.native` what this framework's `convert.py` wrote, if there is one; both can only be read.
        `model.inputs` and `model.outputs` are (name, shape, dtype), every size a number. Stay with float32.
        """
        self._file = model.common / "model.onnx"
        self._outputs = [tensor.name for tensor in model.outputs]

    def compile(self) -> None:
        """Phase `compile`: make whatever answers calls of these shapes, once."""
        self._session = ort.InferenceSession(self._file, self._options, providers=["CPUExecutionProvider"])

    def describe(self) -> dict[str, Any]:
        """After `compile`, in no phase: what the report shows of it.

        `threads` is what the runtime itself says; `None` where it cannot be asked or chose by itself, never the number
        that it was told. `settings` is whatever else explains its speed, as text.
        """
        options = self._session.get_session_options()
        return {
            "version": ort.__version__,
            "threads": options.intra_op_num_threads or None,
            "settings": {"cpu_memory_arena": str(options.enable_cpu_mem_arena)},
        }

    def run(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Phases `first`, `warmup` and `steady`: the timed call, numpy in and numpy out, synchronous.

        Outputs come in the order of `model.outputs`, and stay unchanged through later calls: copy a buffer that the
        runtime uses again. Inputs rotate from call to call, so rely on their shapes and never on which arrays they are.
        """
        return self._session.run(self._outputs, inputs)

    def to_native(self, inputs: dict[str, np.ndarray]) -> Any:
        """After `steady`, outside the clock: the inputs as the runtime's own tensors. `run` is not called any more."""
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(array))
        for name in self._outputs:
            binding.bind_output(name, "cpu")
        return binding

    def infer(self, native: Any) -> None:
        """After `steady`, the second timed call: what `run` computes, on what `to_native` returned."""
        self._session.run_with_iobinding(native)
