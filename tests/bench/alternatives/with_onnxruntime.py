# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined"
"""Other ways to call ONNX Runtime."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]
Change = Callable[[Any], Any]


def setting(**values: object) -> Change:
    """Set attributes of the session's options."""

    def change(options: Any) -> None:
        for name, value in values.items():
            setattr(options, name, value)

    return change


def entry(name: str, text: str) -> Change:
    """Set one of the options that have no attribute."""
    return lambda options: options.add_session_config_entry(name, text)


def alternatives(adapter: Any, model: Any, *, threads: int, params: dict[str, Any]) -> dict[str, Call]:  # noqa: ARG001
    """The same session called otherwise, and sessions made otherwise."""
    outputs = adapter._outputs

    def session(change: Change, *, fixed: bool = True) -> Call:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        for name, size in model.sizes.items() if fixed else ():
            options.add_free_dimension_override_by_name(name, size)
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

    levels = ort.GraphOptimizationLevel
    calls = {
        "the same session once more": session(setting()),
        "run without RunOptions": lambda inputs: adapter._session.run(outputs, inputs),
        "I/O binding": bound,
        "shapes left dynamic": session(setting(), fixed=False),
        "arena off": session(setting(enable_cpu_mem_arena=False)),
        "memory pattern off": session(setting(enable_mem_pattern=False)),
        "spinning off": session(entry("session.intra_op.allow_spinning", "0")),
        "denormals as zero": session(entry("session.set_denormal_as_zero", "1")),
        "extended optimization": session(setting(graph_optimization_level=levels.ORT_ENABLE_EXTENDED)),
        "basic optimization": session(setting(graph_optimization_level=levels.ORT_ENABLE_BASIC)),
    }
    if threads > 1:
        pinned = ";".join(str(number) for number in range(2, threads + 1))
        calls["one thread"] = session(setting(intra_op_num_threads=1))
        calls["threads pinned"] = session(entry("session.intra_op_thread_affinities", pinned))
    return calls
