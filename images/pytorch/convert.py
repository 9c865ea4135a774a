"""PyTorch's own form of a model: its state dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles

FILTERS = 4
"""Dimensions of a convolution's weights."""


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:  # noqa: ARG001
    """Write `model.pt`: the weights under the names of the module's parameters, filters with the channels last.

    A convolution computes in the layout of its filters, and this is the one that PyTorch recommends on a CPU.
    """
    weights = load_file(model.common / "weights.safetensors")
    for name, tensor in weights.items():
        if tensor.dim() == FILTERS:
            weights[name] = tensor.contiguous(memory_format=torch.channels_last)
    torch.save(weights, out / "model.pt")
