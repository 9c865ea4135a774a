"""ONNX Runtime, from the article's calls to the fair one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnxruntime as ort
from work import INPUT

if TYPE_CHECKING:
    from work import Call, Work

PACKAGE = "onnxruntime"


def make(work: Work) -> Call:
    """A session, run for each row by itself until the work is the same for all."""
    options = ort.SessionOptions()
    if work.threads is not None:
        options.intra_op_num_threads = work.threads
        options.inter_op_num_threads = 1
    # A string, as old versions want it.
    path = str(work.model.common / "model.onnx")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(rows: Any) -> list[Any]:
        return session.run(None, {session.get_inputs()[0].name: rows})

    if not work.is_gone("work"):
        return lambda inputs: [run(row[None]) for row in inputs[INPUT]]
    if not work.is_gone("reused"):
        return lambda inputs: run(inputs[INPUT])
    told = ort.RunOptions()
    return lambda inputs: session.run(None, inputs, told)
