"""Normalisations folded into the convolutions before them: `torch.fx` does it for every definition alike."""

from __future__ import annotations

from torch import nn


def fold(module: nn.Module) -> nn.Module:
    """A module in evaluation mode without its batch normalisations; itself where it has none.

    On the meta device only the structure is folded; the weights are then those of a module that was folded whole.
    """
    if not any(isinstance(part, nn.BatchNorm2d) for part in module.modules()):
        return module
    from torch.fx.experimental.optimization import fuse  # noqa: PLC0415 - only here, and every import is measured

    return fuse(module)
