"""OpenVINO: one reused `InferRequest` on a model compiled from its own IR, for latency and in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openvino as ov

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from runner.model import ModelFiles

CORE = ov.Core()
# Loads the plugin, as the imports of the other frameworks load their kernels: it is no part of compiling a model.
CORE.get_versions("CPU")
COPIED_BYTES = 128 * 1024
"""An input up to this size is copied into the request's own tensor, a larger one is handed over as it is: that costs
a fixed few microseconds, and copying is quicker up to somewhere between 128 and 256 KiB."""


class Adapter:
    """Drives OpenVINO on the CPU plugin.

    Args:
        threads: what `INFERENCE_NUM_THREADS` is set to; `None` leaves it to OpenVINO.
        params: `hint`: what the plugin shall be good at, latency or throughput.
    """

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:
        # Its own choice of precision is bfloat16 where the processor can: faster, and wrong in the third digit.
        self._config = {"PERFORMANCE_HINT": params["hint"].upper(), "INFERENCE_PRECISION_HINT": "f32"}
        if params["hint"] == "latency":
            self._config["NUM_STREAMS"] = "1"
        if threads is not None:
            self._config["INFERENCE_NUM_THREADS"] = str(threads)

    def load(self, model: ModelFiles) -> None:
        """Read the IR and fix its shapes."""
        self._model = CORE.read_model(model.native / "model.xml")
        self._model.reshape({tensor.name: list(tensor.shape) for tensor in model.inputs})
        self._outputs = [tensor.name for tensor in model.outputs]

    def compile(self) -> None:
        """Compile the model and make the request that serves every call."""
        self._compiled = CORE.compile_model(self._model, "CPU", self._config)
        self._request = self._compiled.create_infer_request()
        own = {port.any_name: self._request.get_tensor(port) for port in self._compiled.inputs}
        self._copied = [(name, own[name].data) for name in own if own[name].byte_size <= COPIED_BYTES]
        self._shared = [name for name in own if own[name].byte_size > COPIED_BYTES]
        self._copies = [self._look_at(name) for name in self._outputs]

    def run(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Run one synchronous inference; the outputs are copies, as the request's own are overwritten by the next."""
        for name, room in self._copied:
            room[...] = inputs[name]
        for name in self._shared:
            self._request.set_tensor(name, ov.Tensor(inputs[name], shared_memory=True))
        self._request.infer(share_outputs=True)
        return [copy() for copy in self._copies]

    def to_native(self, inputs: dict[str, np.ndarray]) -> dict[str, ov.Tensor]:
        """Wrap the inputs as tensors, which share their memory."""
        return {name: ov.Tensor(array, shared_memory=True) for name, array in inputs.items()}

    def infer(self, native: dict[str, ov.Tensor]) -> None:
        """Run one synchronous inference; the outputs stay in the request."""
        for name, tensor in native.items():
            self._request.set_tensor(name, tensor)
        self._request.infer(share_outputs=True)

    def describe(self) -> dict[str, Any]:
        """Tell the version, the threads and the hints in effect."""
        version, _, build = ov.get_version().partition("-")
        names = ("PERFORMANCE_HINT", "NUM_STREAMS", "ENABLE_CPU_PINNING")
        return {
            "version": version,
            "threads": self._compiled.get_property("INFERENCE_NUM_THREADS"),
            "settings": {
                "build": build,
                "precision": self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(),
                **{name.lower(): str(self._compiled.get_property(name)) for name in names},
            },
        }

    def _look_at(self, name: str) -> Any:
        """What copies an output: its array, looked up only here unless a call decides its shape, as that of NonZero."""
        look, port = self._request.get_tensor, self._compiled.output(name)
        return (lambda: look(name).data.copy()) if port.partial_shape.is_dynamic else look(name).data.copy  # noqa: PLW0108
