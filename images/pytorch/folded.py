"""Normalisations folded into the convolutions before them: the weights once and for all, the structure at each load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


def fold(module: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of a module in evaluation mode once `torch.fx` has folded it; its own where nothing is to fold."""
    if not any(isinstance(part, nn.BatchNorm2d) for part in module.modules()):
        return module.state_dict()
    # Here and not above: a trial, which never folds, would pay a second and 70 MiB for it.
    from torch.fx.experimental.optimization import fuse  # noqa: PLC0415

    return fuse(module).state_dict()


def restructure(module: nn.Module, weights: Mapping[str, torch.Tensor]) -> nn.Module:
    """Give a module the structure of folded weights: no normalisation that has none, biases where there are some."""
    for name, part in list(module.named_modules()):
        if isinstance(part, nn.BatchNorm2d) and f"{name}.weight" not in weights:
            parent, _, own = name.rpartition(".")
            setattr(module.get_submodule(parent), own, nn.Identity())
        elif isinstance(part, nn.Conv2d) and part.bias is None and f"{name}.bias" in weights:
            part.bias = nn.Parameter(weights[f"{name}.bias"], requires_grad=False)
    return module
