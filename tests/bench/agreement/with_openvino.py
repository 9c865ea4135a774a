"""OpenVINO against its own `benchmark_app` in synchronous mode, and a bare loop on the `core` clock.

`benchmark_app` is the class `Benchmark` and a program around it; the class measures here, in the same process, with the
same settings. It reads the latency from inside the runtime, so that the Python call is left out: nothing beside a call
of some milliseconds, but most of one of some microseconds, for which the bare loop stands.
"""

from openvino import Tensor
from openvino.tools.benchmark.benchmark import Benchmark
from openvino.tools.benchmark.utils.inputs_filling import DataQueue


def tools(adapter, model, inputs, *, threads, batch):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    # With the same inputs in turn, as in a trial: one that is filled once would lie in the cache.
    app = Benchmark(
        "CPU", number_infer_requests=1, number_iterations=1, api_type="sync", inference_only=False
    )
    network = app.read_model(str(model.native / "model.xml"))
    network.reshape({"features": [batch, 200]})
    (request,) = app.create_infer_requests(app.core.compile_model(network, "CPU", adapter._config))
    tensors = [Tensor(chosen["features"], shared_memory=True) for chosen in inputs]
    queue = DataQueue({0: tensors}, [batch])

    def block(seconds, least):
        # It counts time in whole seconds only; so by number of iterations, for as long as it takes.
        once, _, _ = app.sync_inference(request, queue)
        app.niter = max(least, round(seconds / (once[0] / 1e3)))
        milliseconds, _, _ = app.sync_inference(request, queue)
        app.niter = 1
        return [time * 1e6 for time in milliseconds]

    own = adapter._compiled.create_infer_request()

    def call(tensor):
        own.set_tensor("features", tensor)
        own.infer(share_outputs=True)

    claims = [
        ("bare loop, request.infer", "core", lambda seconds, least: bare(call, tensors, seconds, least))
    ]
    if batch > 1:
        claims.append(("benchmark_app, sync", "core", block))
    return claims
