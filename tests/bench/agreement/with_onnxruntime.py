"""ONNX Runtime against a bare loop over `InferenceSession.run`."""


def tools(adapter, model, inputs, *, threads, large):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    session, options = adapter._session, adapter._run_options
    outputs = [tensor.name for tensor in model.outputs]

    def call(feed):
        return session.run(outputs, feed, options)

    return [
        ("bare loop, session.run", "end_to_end", lambda seconds, least: bare(call, inputs, seconds, least))
    ]
