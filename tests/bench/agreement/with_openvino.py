"""OpenVINO against its own `benchmark_app` in synchronous mode, and against bare loops on both clocks.

`benchmark_app` is the class `Benchmark` and a program around it; the class measures here, in the same process, with the
same settings. It reads the latency from inside the runtime, so that the Python call is left out: one to two hundredths
of a call of some milliseconds, but most of one of some microseconds, for which the bare loops stand.
"""

from openvino import Tensor
from openvino.tools.benchmark.benchmark import Benchmark
from openvino.tools.benchmark.utils.inputs_filling import DataQueue


def tools(adapter, model, inputs, *, threads, batch):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    features = [chosen["features"] for chosen in inputs]
    tensors = [Tensor(array, shared_memory=True) for array in features]
    own = adapter._compiled.create_infer_request()

    def call(tensor):
        own.set_tensor("features", tensor)
        own.infer(share_outputs=True)

    # A large input is handed over as it is; a small one is quicker copied into a tensor that stays (docs/images.md).
    second = adapter._compiled.create_infer_request()

    def shared(array):
        return second.infer({"features": array}, share_inputs=True)[0]

    room, result = second.get_tensor("features").data, second.get_tensor("probability").data

    def copied(array):
        room[...] = array
        second.infer(share_outputs=True)
        return result.copy()

    numpy_call = shared if batch > 1 else copied
    claims = [
        (
            "bare loop, numpy in and out",
            "end_to_end",
            lambda seconds, least: bare(numpy_call, features, seconds, least),
        ),
        ("bare loop, request.infer", "core", lambda seconds, least: bare(call, tensors, seconds, least)),
    ]
    if batch > 1:
        claims.append(("benchmark_app, sync", "core", app_block(adapter, model, tensors, batch=batch)))
    return claims


def app_block(adapter, model, tensors, *, batch):
    """The block of `benchmark_app`, with a model that it compiled itself."""
    app = Benchmark(
        "CPU", number_infer_requests=1, number_iterations=1, api_type="sync", inference_only=False
    )
    network = app.read_model(str(model.native / "model.xml"))
    network.reshape({"features": [batch, 200]})
    (request,) = app.create_infer_requests(app.core.compile_model(network, "CPU", adapter._config))
    # The same inputs in turn, as in a trial: one that is filled once would lie in the cache.
    queue = DataQueue({0: tensors}, [batch])

    def block(seconds, least):
        # It counts time in whole seconds only; so by number of iterations, for as long as it takes.
        once, _, _ = app.sync_inference(request, queue)
        app.niter = max(least, round(seconds / (once[0] / 1e3)))
        milliseconds, _, _ = app.sync_inference(request, queue)
        app.niter = 1
        return [time * 1e6 for time in milliseconds]

    return block
