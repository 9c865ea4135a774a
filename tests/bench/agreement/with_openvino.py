"""OpenVINO against its own `benchmark_app` in synchronous mode, and against bare loops on both clocks.

`benchmark_app` is the class `Benchmark` and a program around it; the class measures here, in the same process, with the
same settings. It reads the latency from inside the runtime, so that the Python call is left out: one to two hundredths
of a call of some milliseconds, but most of one of some microseconds, for which the bare loops stand.
"""

from openvino import Tensor
from openvino.tools.benchmark.benchmark import Benchmark
from openvino.tools.benchmark.utils.inputs_filling import DataQueue


def tools(adapter, model, inputs, *, threads, large):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    names = [tensor.name for tensor in model.inputs]
    given = [[(name, Tensor(chosen[name], shared_memory=True)) for name in names] for chosen in inputs]
    own = adapter._compiled.create_infer_request()

    def call(tensors):
        for name, tensor in tensors:
            own.set_tensor(name, tensor)
        own.infer(share_outputs=True)

    # Large inputs are handed over as they are; small ones are quicker copied into tensors that stay (docs/images.md).
    second = adapter._compiled.create_infer_request()
    rooms = [(name, second.get_tensor(name).data) for name in names]
    result = second.get_tensor(model.outputs[0].name).data

    def shared(chosen):
        return second.infer(chosen, share_inputs=True)[0]

    def copied(chosen):
        for name, room in rooms:
            room[...] = chosen[name]
        second.infer(share_outputs=True)
        return result.copy()

    numpy_call = shared if large else copied
    claims = [
        (
            "bare loop, numpy in and out",
            "end_to_end",
            lambda seconds, least: bare(numpy_call, inputs, seconds, least),
        ),
        ("bare loop, request.infer", "core", lambda seconds, least: bare(call, given, seconds, least)),
    ]
    if large:
        claims.append(("benchmark_app, sync", "core", app_block(adapter, model, inputs)))
    return claims


def app_block(adapter, model, inputs):
    """The block of `benchmark_app`, with a model that it compiled itself."""
    app = Benchmark(
        "CPU", number_infer_requests=1, number_iterations=1, api_type="sync", inference_only=False
    )
    network = app.read_model(str(model.native / "model.xml"))
    network.reshape({tensor.name: list(tensor.shape) for tensor in model.inputs})
    compiled = app.core.compile_model(network, "CPU", adapter._config)
    (request,) = app.create_infer_requests(compiled)
    # The same inputs in turn, as in a trial: one that is filled once would lie in the cache.
    tensors = {
        number: [Tensor(chosen[port.any_name], shared_memory=True) for chosen in inputs]
        for number, port in enumerate(compiled.inputs)
    }
    queue = DataQueue(tensors, [len(next(iter(inputs[0].values())))])

    def block(seconds, least):
        # It counts time in whole seconds only; so by number of iterations, for as long as it takes.
        once, _, _ = app.sync_inference(request, queue)
        app.niter = max(least, round(seconds / (once[0] / 1e3)))
        milliseconds, _, _ = app.sync_inference(request, queue)
        app.niter = 1
        return [time * 1e6 for time in milliseconds]

    return block
