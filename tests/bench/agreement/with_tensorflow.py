"""TensorFlow against a bare loop over the concrete function."""

import tensorflow as tf


def tools(adapter, model, inputs, *, threads, large):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    function = adapter._call

    def call(arrays):
        return function(*map(tf.constant, arrays))[0].numpy()

    given = [[chosen[tensor.name] for tensor in model.inputs] for chosen in inputs]
    return [
        ("bare loop, tf.function", "end_to_end", lambda seconds, least: bare(call, given, seconds, least))
    ]
