"""Load what `tools/compile.py` compiled ahead of time: a shared library, in which the weights are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from pathlib import Path


class Compiled:
    """A compiled module, called as the module would be, always with a tuple as the result.

    The library is loaded from where it lies. PyTorch's public loader takes a package instead, which it unpacks into
    /tmp: in a trial nothing may be executed there.

    Args:
        folder: with `compiled.so` and `compiled.json`.

    Attributes:
        instruction_set: what it was compiled for, in Inductor's words.

    Raises:
        ValueError: it was compiled for another number of threads, which it would start.
    """

    def __init__(self, folder: Path) -> None:
        facts = json.loads((folder / "compiled.json").read_text(encoding="utf-8"))
        if facts["threads"] not in {None, torch.get_num_threads()}:
            raise ValueError(f"compiled for {facts['threads']} threads, not for {torch.get_num_threads()}")
        library = torch._C._aoti.AOTIModelContainerRunnerCpu(str(folder / "compiled.so"), 1)  # noqa: SLF001
        self._run = library.run
        self.instruction_set: str = facts["instruction_set"]

    def __call__(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run one inference on tensors of exactly the shapes that it was compiled for."""
        return tuple(self._run(inputs))
