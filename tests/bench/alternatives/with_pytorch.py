# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined"
"""Other ways to call PyTorch."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]


def alternatives(adapter: Any, model: Any, *, threads: int, batch: int) -> dict[str, Call]:  # noqa: ARG001
    """The same module called otherwise, and captured as a graph."""
    names, module = adapter._inputs, adapter._module
    example = tuple(
        torch.zeros((batch, *entry["shape"][1:]), dtype=getattr(torch, entry["dtype"]))
        for entry in model.spec["inputs"]
    )
    with torch.inference_mode(mode=False), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        exported = torch.export.export(module, example).module()
        scripted = torch.jit.freeze(torch.jit.trace(module, example))

    def answer(function: Any) -> Call:
        def call(inputs: dict[str, np.ndarray[Any, Any]]) -> Any:
            outputs = function(*[torch.from_numpy(inputs[name]) for name in names])
            return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

        return call

    return {
        "inference_mode at every call": torch.inference_mode()(answer(module)),
        "torch.export, module of the .pt2": answer(exported),
        "TorchScript, traced and frozen": answer(scripted),
    }
