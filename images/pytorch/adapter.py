"""PyTorch: the eager module in inference mode, on tensors that share memory with the numpy arrays."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from runner.model import ModelFiles


class Adapter:
    """Drives PyTorch on the CPU.

    Args:
        threads: size of the intra-op pool, the calling thread included; `None` leaves it to PyTorch.
        batch: rows per call; an eager module takes any.
    """

    def __init__(self, *, threads: int | None, batch: int) -> None:  # noqa: ARG002
        if threads is not None:
            torch.set_num_threads(threads)
            torch.set_num_interop_threads(1)
        torch.set_float32_matmul_precision("highest")

    def load(self, model: ModelFiles) -> None:
        """Build the module without weights of its own and give it those of the file, mapped: they are held once."""
        with torch.device("meta"):
            self._module = model.define("pytorch").build()
        weights = torch.load(model.native / "model.pt", mmap=True, weights_only=True)
        self._module.load_state_dict(weights, assign=True)
        self._inputs = [entry["name"] for entry in model.spec["inputs"]]

    def compile(self) -> None:
        """Nothing is compiled in eager mode; only switch off what training needs."""
        self._module.eval().requires_grad_(requires_grad=False)
        # Entered once and for good, as a server would: at every call it costs a tenth of a small model's.
        self._mode = ExitStack()
        self._mode.enter_context(torch.inference_mode())

    def run(self, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """Run one inference; nothing is copied on the way in or out, and each call's outputs are new tensors."""
        outputs = self._module(*[torch.from_numpy(inputs[name]) for name in self._inputs])
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

    def to_native(self, inputs: dict[str, np.ndarray]) -> list[torch.Tensor]:
        """Wrap the inputs as tensors, which share their memory."""
        return [torch.from_numpy(inputs[name]) for name in self._inputs]

    def infer(self, native: list[torch.Tensor]) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Run one inference on tensors."""
        return self._module(*native)

    def describe(self) -> dict[str, Any]:
        """Tell the version, the threads and the instruction set."""
        return {
            "version": torch.__version__,
            "threads": torch.get_num_threads(),
            "settings": {
                "instruction_set": torch.backends.cpu.get_cpu_capability(),
                "onednn": str(torch.backends.mkldnn.is_available()),
                "matmul_precision": torch.get_float32_matmul_precision(),
                "form": "eager",
            },
        }
