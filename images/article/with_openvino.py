"""OpenVINO, from the article's calls to the fair one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openvino as ov
from work import INPUT

if TYPE_CHECKING:
    from work import Call, Work

PACKAGE = "openvino"


def make(work: Work) -> Call:
    """A compiled model: a new request for each row, then for each call, then one for all."""
    core = ov.Core()
    model = core.read_model(work.model.common / "model.onnx")
    config = {}
    if work.is_gone("work"):
        config["INFERENCE_PRECISION_HINT"] = "f32"
    if work.is_gone("compiled"):
        (features,) = work.model.inputs
        model.reshape(list(features.shape))
    if work.threads is not None:
        config |= {
            "INFERENCE_NUM_THREADS": str(work.threads),
            "NUM_STREAMS": "1",
            "PERFORMANCE_HINT": "LATENCY",
        }
    compiled = core.compile_model(model, "CPU", config)
    if not work.is_gone("work"):
        return lambda inputs: [compiled.infer_new_request({0: row[None]}) for row in inputs[INPUT]]
    if not work.is_gone("reused"):
        return lambda inputs: [compiled.infer_new_request({0: inputs[INPUT]})[0]]
    request = compiled.create_infer_request()

    def call(inputs: dict[str, object]) -> list[object]:
        request.set_input_tensor(ov.Tensor(inputs[INPUT], shared_memory=True))
        request.infer(share_outputs=True)
        return [request.get_output_tensor().data.copy()]

    return call
