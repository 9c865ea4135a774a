"""TensorFlow against a bare loop over the concrete function."""

import tensorflow as tf


def tools(adapter, model, inputs, *, threads, batch):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    function = adapter._call

    def call(features):
        return function(tf.constant(features))[0].numpy()

    features = [chosen["features"] for chosen in inputs]
    return [
        ("bare loop, tf.function", "end_to_end", lambda seconds, least: bare(call, features, seconds, least))
    ]
