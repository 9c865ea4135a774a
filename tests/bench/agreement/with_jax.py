"""JAX against a bare loop over the compiled function."""

import numpy as np


def tools(adapter, model, inputs, *, threads, large):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    compiled, params = adapter._call, adapter._params

    def call(arrays):
        return np.asarray(compiled(params, *arrays)[0])

    given = [[chosen[tensor.name] for tensor in model.inputs] for chosen in inputs]
    return [
        ("bare loop, compiled call", "end_to_end", lambda seconds, least: bare(call, given, seconds, least))
    ]
