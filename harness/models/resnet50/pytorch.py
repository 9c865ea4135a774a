"""ResNet-50 v1.5 in PyTorch, its parameters named as torchvision's.

Written out instead of imported: transformers' ResNet would cost every trial 2.3 s and 145 MiB, and torchvision
has no build for every platform that PyTorch has one for.
"""

from __future__ import annotations

import torch
from torch import nn

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Inner channels, blocks and the stride of the first block."""
EXPANSION = 4
CLASSES = 1000


class Bottleneck(nn.Module):
    """Three convolutions and the way around them: (batch, `inputs`, h, w) to (batch, 4 x `inner`, h/s, w/s)."""

    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * inner
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        # Version 1.5: the stride is here, not on the first convolution.
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Add what the convolutions make of the values to the values themselves."""
        around = values if self.downsample is None else self.downsample(values)
        values = self.relu(self.bn1(self.conv1(values)))
        values = self.relu(self.bn2(self.conv2(values)))
        return self.relu(self.bn3(self.conv3(values)) + around)


class ResNet50(nn.Module):
    """From `pixels`, shape (batch, 3, 224, 224), to `logits`, shape (batch, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        inputs = 64
        for number, (inner, blocks, stride) in enumerate(STAGES, start=1):
            stage = [Bottleneck(inputs, inner, stride)]
            inputs = EXPANSION * inner
            stage += [Bottleneck(inputs, inner, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Compute the scores of the classes."""
        values = self.maxpool(self.relu(self.bn1(self.conv1(pixels))))
        values = self.layer4(self.layer3(self.layer2(self.layer1(values))))
        return self.fc(torch.flatten(self.avgpool(values), 1))


def build() -> nn.Module:
    """Build the module; its state dict has the names of `weights.safetensors`."""
    return ResNet50()
