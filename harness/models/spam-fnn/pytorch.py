"""The spam classifier in PyTorch."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

WIDTHS = (200, 128, 64, 32, 16, 8)


class SpamFnn(nn.Module):
    """From `features`, shape (batch, 200), to `probability`, shape (batch, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairwise(WIDTHS))
        self.output = nn.Linear(WIDTHS[-1], 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Compute the probability that each row is spam."""
        values = features
        for layer in self.hidden:
            values = torch.relu(layer(values))
        return torch.sigmoid(self.output(values))


def build() -> nn.Module:
    """Build the module; its state dict has the names of `weights.safetensors`."""
    return SpamFnn()
