"""PyTorch in inference mode: the eager module, a converted graph, or a compiled library, on numpy's own memory."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from compiled import Compiled
from folded import restructure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from runner.model import ModelFiles


class Adapter:
    """Drives PyTorch on the CPU.

    Args:
        threads: size of the intra-op pool, the calling thread included; `None` leaves it to PyTorch.
        params: `form`: eager, or compiled ahead of time.
    """

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:
        self._form = params["form"]
        if threads is not None:
            torch.set_num_threads(threads)
            torch.set_num_interop_threads(1)
        torch.set_float32_matmul_precision("highest")

    def load(self, model: ModelFiles) -> None:
        """Read the module; its weights are those of the file, mapped: they are held once."""
        self._inputs = [tensor.name for tensor in model.inputs]
        if self._form == "compiled":
            self._call = Compiled(model.native)
        elif model.has_definition("pytorch"):
            with torch.device("meta"):  # without weights of its own
                module = model.define("pytorch").build().eval()
            weights = torch.load(model.native / "model.pt", mmap=True, weights_only=True)
            restructure(module, weights).load_state_dict(weights, assign=True)
            self._call = module.requires_grad_(requires_grad=False)
        else:
            module = torch.load(model.native / "graph.pt", mmap=True, weights_only=False)
            # Calling the graph module itself only adds words to an exception: an eighth of a small model's call.
            self._call = module.eval().requires_grad_(requires_grad=False).forward

    def compile(self) -> None:
        """Nothing is compiled here; only switch off what training needs."""
        # Entered once and for good, as a server would: at every call it costs a tenth of a small model's.
        self._mode = ExitStack()
        self._mode.enter_context(torch.inference_mode())

    def run(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Run one inference; nothing is copied on the way in or out, and each call's outputs are new tensors."""
        outputs = self._call(*[torch.from_numpy(inputs[name]) for name in self._inputs])
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

    def to_native(self, inputs: dict[str, np.ndarray]) -> list[torch.Tensor]:
        """Wrap the inputs as tensors, which share their memory."""
        return [torch.from_numpy(inputs[name]) for name in self._inputs]

    def infer(self, native: list[torch.Tensor]) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Run one inference on tensors."""
        return self._call(*native)

    def describe(self) -> dict[str, Any]:
        """Tell the version, the threads and the instruction set."""
        return {
            "version": torch.__version__,
            "threads": torch.get_num_threads(),
            "settings": {
                "instruction_set": getattr(
                    self._call, "instruction_set", torch.backends.cpu.get_cpu_capability()
                ),
                "onednn": str(torch.backends.mkldnn.is_available()),
                "matmul_precision": torch.get_float32_matmul_precision(),
                "form": self._form,
            },
        }
