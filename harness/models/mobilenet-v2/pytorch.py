"""MobileNetV2 1.0 in PyTorch, its parameters named as torchvision's.

Written out instead of imported: transformers' MobileNetV2 would cost every trial 2.3 s and 145 MiB, and torchvision
has no build for every platform that PyTorch has one for.
"""

from __future__ import annotations

import torch
from torch import nn

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, output channels, blocks and the stride of the first block."""
FIRST, LAST = 32, 1280
CLASSES = 1000


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Build a convolution, its normalisation and ReLU6: (batch, inputs, h, w) to (batch, outputs, h/s, w/s)."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project: (batch, inputs, h, w) to (batch, outputs, h/s, w/s)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = expansion * inputs
        self.around = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            *([] if expansion == 1 else [convolution(inputs, inner, 1)]),
            convolution(inner, inner, 3, stride, groups=inner),
            nn.Conv2d(inner, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Add the values themselves where the shape stays the same."""
        return values + self.conv(values) if self.around else self.conv(values)


class MobileNetV2(nn.Module):
    """From `pixels`, shape (batch, 3, 224, 224), to `logits`, shape (batch, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        features: list[nn.Module] = [convolution(3, FIRST, 3, 2)]
        inputs = FIRST
        for expansion, outputs, blocks, stride in STAGES:
            for index in range(blocks):
                features.append(InvertedResidual(inputs, outputs, 1 if index else stride, expansion))
                inputs = outputs
        features.append(convolution(inputs, LAST, 1))
        self.features = nn.Sequential(*features)
        # The dropout does nothing in inference; it is here for the name of what follows, `classifier.1`.
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(LAST, CLASSES))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Compute the scores of the classes."""
        values = nn.functional.adaptive_avg_pool2d(self.features(pixels), 1)
        return self.classifier(torch.flatten(values, 1))


def build() -> nn.Module:
    """Build the module; its state dict has the names of `weights.safetensors`."""
    return MobileNetV2()
