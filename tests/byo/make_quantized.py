"""`python make_quantized.py OUT`: the Keras classifier in int8, as ONNX Runtime quantizes it.

Needs onnxruntime 1.32.0 and `keras-cnn.onnx` in OUT.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SAMPLES = 16


class Images(CalibrationDataReader):  # type: ignore[misc]
    """Random images, one at a time."""

    def __init__(self) -> None:
        rng = np.random.default_rng(20260105)
        images = rng.random((SAMPLES, 1, 16, 16, 3), dtype=np.float32)
        self._left = iter([{"image": image} for image in images])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next input, `None` at the end."""
        return next(self._left, None)


def make(out: Path) -> None:
    """Write `int8-qdq.onnx` and `int8-qoperator.onnx`."""
    for name, form in (("qdq", QuantFormat.QDQ), ("qoperator", QuantFormat.QOperator)):
        quantize_static(
            out / "keras-cnn.onnx",
            out / f"int8-{name}.onnx",
            Images(),
            quant_format=form,
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
