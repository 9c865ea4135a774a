# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined"
"""Other ways to call ONNX Runtime."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]


def alternatives(adapter: Any, model: Any, *, threads: int, batch: int) -> dict[str, Call]:
    """The same session called otherwise, and sessions made otherwise."""
    outputs = adapter._outputs

    def session(change: Callable[[Any], Any], *, fixed: bool = True) -> Call:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        if fixed:
            options.add_free_dimension_override_by_name("batch", batch)
        change(options)
        other = ort.InferenceSession(model.common / "model.onnx", options, providers=["CPUExecutionProvider"])
        told = ort.RunOptions()
        return lambda inputs: other.run(outputs, inputs, told)

    binding = adapter._session.io_binding()
    for name in outputs:
        binding.bind_output(name)

    def bound(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)
        adapter._session.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()

    basic = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return {
        "run without RunOptions": lambda inputs: adapter._session.run(outputs, inputs),
        "I/O binding": bound,
        "batch left dynamic": session(lambda _: None, fixed=False),
        "arena off": session(lambda options: setattr(options, "enable_cpu_mem_arena", False)),
        "spinning off": session(lambda o: o.add_session_config_entry("session.intra_op.allow_spinning", "0")),
        "basic optimization": session(lambda options: setattr(options, "graph_optimization_level", basic)),
    }
