# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined"
"""Other ways to call JAX."""

from collections.abc import Callable
from typing import Any

import jax
import jax.extend.backend
import numpy as np

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]


def alternatives(adapter: Any, model: Any, *, threads: int, batch: int) -> dict[str, Call]:
    """The same function called otherwise, or compiled otherwise."""
    names, params, call = adapter._inputs, adapter._params, adapter._call
    apply = adapter._definition.apply

    def leaves(weights: Any, *arrays: Any) -> Any:
        return jax.tree.leaves(apply(weights, *arrays))

    closed = jax.jit(lambda *arrays: leaves(params, *arrays)).lower(*adapter._signature).compile()
    rows_first = {name: jax.device_put(np.ascontiguousarray(array.T)) for name, array in params.items()}

    def transposing(weights: Any, *arrays: Any) -> Any:
        return leaves({name: array.T for name, array in weights.items()}, *arrays)

    transposed = jax.jit(transposing).lower(rows_first, *adapter._signature).compile()
    # A second client in this process; what the first one has compiled stays with it.
    jax.extend.backend.clear_backends()
    other = type(adapter)(threads=threads, batch=batch)
    jax.config.update("jax_cpu_enable_async_dispatch", True)
    other.load(model)
    other.compile()
    return {
        "asynchronous dispatch": other.run,
        "outputs by device_get": lambda inputs: jax.device_get(
            call(params, *[inputs[name] for name in names])
        ),
        "weights as (out, in)": lambda inputs: [
            np.asarray(output) for output in transposed(rows_first, *[inputs[name] for name in names])
        ],
        "weights as constants": lambda inputs: [
            np.asarray(output) for output in closed(*[inputs[name] for name in names])
        ],
    }
