# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined,import-not-found"
"""Other ways to call PyTorch."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from folded import fold, restructure
from safetensors.torch import load_file

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]


def alternatives(adapter: Any, model: Any, *, threads: int, params: dict[str, Any]) -> dict[str, Call]:  # noqa: ARG001
    """The same module called otherwise, captured as a graph, and with its weights laid out otherwise."""
    names, module = adapter._inputs, adapter._call
    example = tuple(torch.zeros(tensor.shape, dtype=getattr(torch, tensor.dtype)) for tensor in model.inputs)

    def answer(function: Any, layout: Any = torch.contiguous_format) -> Call:
        def call(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
            tensors = [torch.from_numpy(inputs[name]).contiguous(memory_format=layout) for name in names]
            outputs = function(*tensors)
            return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

        return call

    def without_onednn(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
        with torch.backends.mkldnn.flags(enabled=False):
            return adapter.run(inputs)

    def denormals_as_zero(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
        torch.set_flush_denormal(True)
        outputs = adapter.run(inputs)
        torch.set_flush_denormal(False)
        return outputs

    with torch.inference_mode(mode=False), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        calls = {
            "inference_mode at every call": torch.inference_mode()(answer(module)),
            "weights in memory, not mapped": answer(copy.deepcopy(module)),
            "torch.export, module of the .pt2": answer(torch.export.export(module, example).module()),
            "TorchScript, traced and frozen": answer(
                torch.jit.freeze(torch.jit.trace(module, example, check_trace=False))
            ),
            "oneDNN off": without_onednn,
            "denormals as zero": denormals_as_zero,
        }
        if any(isinstance(part, torch.nn.Conv2d) for part in module.modules()):
            last = torch.channels_last
            calls["inputs with the channels last as well"] = answer(module, last)
            apart = model.define("pytorch").build().eval()
            apart.load_state_dict(load_file(model.common / "weights.safetensors"))
            plain = fold(copy.deepcopy(apart))
            rebuilt = restructure(model.define("pytorch").build().eval(), plain)
            rebuilt.load_state_dict(plain)
            calls["filters as PyTorch has them"] = answer(rebuilt)
            calls["normalisations apart"] = answer(apart)
            calls["normalisations apart, channels last"] = answer(copy.deepcopy(apart).to(memory_format=last))
    return calls
