"""OpenVINO's own form of a model: its IR, from the ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openvino as ov

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles


def convert(model: ModelFiles, out: Path) -> None:
    """Write `model.xml` and `model.bin`, with the weights in float32 and the batch dimension still dynamic."""
    network = ov.Core().read_model(model.common / "model.onnx")
    # By default the weights would be stored in half precision.
    ov.save_model(network, out / "model.xml", compress_to_fp16=False)
