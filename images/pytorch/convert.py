"""PyTorch's own form of a model: the state dict of its folded module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from folded import fold
from safetensors.torch import load_file

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles

FILTERS = 4
"""Dimensions of a convolution's weights."""


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:  # noqa: ARG001
    """Write `model.pt`: the weights of the folded module, filters with the channels last.

    A convolution computes in the layout of its filters, and this is the one that PyTorch recommends on a CPU.
    """
    module = model.define("pytorch").build()
    module.load_state_dict(load_file(model.common / "weights.safetensors"))
    weights = fold(module.eval())
    for name, tensor in weights.items():
        if tensor.dim() == FILTERS:
            weights[name] = tensor.contiguous(memory_format=torch.channels_last)
    torch.save(weights, out / "model.pt")
