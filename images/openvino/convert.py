"""OpenVINO's own form of a model: its IR, from the ONNX file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import openvino as ov

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model import ModelFiles


UNCONVERTED = re.compile(r"OpConversionFailure.*Summary:\s*(?:-- )?(?P<summary>.+)", re.DOTALL)
"""How it says which operators it has none for."""


def convert(model: ModelFiles, out: Path, params: dict[str, Any]) -> None:  # noqa: ARG001
    """Write `model.xml` and `model.bin`, with the weights in float32 and the dynamic dimensions still dynamic.

    Raises:
        NotImplementedError: it has no such operator.
    """
    try:
        network = ov.Core().read_model(model.common / "model.onnx")
    except RuntimeError as error:
        if unconverted := UNCONVERTED.search(str(error)):
            raise NotImplementedError(" ".join(unconverted["summary"].split())) from error
        raise
    # By default the weights would be stored in half precision.
    ov.save_model(network, out / "model.xml", compress_to_fp16=False)
