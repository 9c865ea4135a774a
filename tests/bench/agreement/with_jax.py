"""JAX against a bare loop over the compiled function."""

import numpy as np


def tools(adapter, model, inputs, *, threads, batch):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    compiled, params = adapter._call, adapter._params

    def call(features):
        return np.asarray(compiled(params, features)[0])

    features = [chosen["features"] for chosen in inputs]
    return [
        (
            "bare loop, compiled call",
            "end_to_end",
            lambda seconds, least: bare(call, features, seconds, least),
        )
    ]
