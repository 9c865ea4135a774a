"""PyTorch's own form of a model: its state dict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles


def convert(model: ModelFiles, out: Path) -> None:
    """Write `model.pt`: the weights under the names of the module's parameters."""
    torch.save(load_file(model.common / "weights.safetensors"), out / "model.pt")
