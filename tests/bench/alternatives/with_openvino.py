# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined"
"""Other ways to call OpenVINO."""

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]

CORE = ov.Core()


def alternatives(adapter: Any, model: Any, *, threads: int, params: dict[str, Any]) -> dict[str, Call]:  # noqa: ARG001
    """The same request called otherwise, and models compiled otherwise."""
    outputs = adapter._outputs
    copied = adapter._compiled.create_infer_request()
    asynchronous = adapter._compiled.create_infer_request()
    plain = adapter._compiled.create_infer_request()

    def share(request: Any) -> Call:
        def call(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
            for name, array in inputs.items():
                request.set_tensor(name, ov.Tensor(array, shared_memory=True))
            request.infer(share_outputs=True)
            return [request.get_tensor(name).data.copy() for name in outputs]

        return call

    own = {tensor.name: copied.get_tensor(tensor.name).data for tensor in model.inputs}
    results = [copied.get_tensor(name).data for name in outputs]

    def copy(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
        for name, array in inputs.items():
            own[name][...] = array
        copied.infer(share_outputs=True)
        return [result.copy() for result in results]

    def wait(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
        asynchronous.start_async(inputs, share_inputs=True)
        asynchronous.wait()
        return [asynchronous.get_tensor(name).data.copy() for name in outputs]

    def compiled(network: Any, **changes: str) -> Call:
        request = CORE.compile_model(network, "CPU", adapter._config | changes)
        return share(request.create_infer_request())

    dynamic = CORE.read_model(model.native / "model.xml")
    free = {key: text for key, text in adapter._config.items() if key != "INFERENCE_PRECISION_HINT"}
    unpinned = CORE.compile_model(adapter._model, "CPU", free).create_infer_request()
    return {
        "infer(dict, share_inputs)": lambda inputs: [
            plain.infer(inputs, share_inputs=True)[n] for n in outputs
        ],
        "every input handed over": compiled(adapter._model),
        "every input copied": copy,
        "start_async and wait": wait,
        "shapes left dynamic (inputs handed over)": compiled(dynamic),
        "throughput hint, one stream (inputs handed over)": compiled(
            adapter._model, PERFORMANCE_HINT="THROUGHPUT"
        ),
        "threads not pinned (inputs handed over)": compiled(adapter._model, ENABLE_CPU_PINNING="NO"),
        "hyper-threading off (inputs handed over)": compiled(adapter._model, ENABLE_HYPER_THREADING="NO"),
        "denormals as zero (inputs handed over)": compiled(adapter._model, CPU_DENORMALS_OPTIMIZATION="YES"),
        "precision left to OpenVINO (inputs handed over)": share(unpinned),
    }
