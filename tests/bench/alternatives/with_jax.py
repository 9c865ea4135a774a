# On the host mypy takes the folder `images/jax` and its like for the frameworks themselves.
# mypy: disable-error-code="attr-defined"
"""Other ways to call JAX."""

from collections.abc import Callable
from typing import Any

import jax
import jax.extend.backend
import numpy as np

Call = Callable[[dict[str, np.ndarray[Any, Any]]], Any]


def alternatives(adapter: Any, model: Any, *, threads: int, params: dict[str, Any]) -> dict[str, Call]:
    """The same function called otherwise, or compiled otherwise."""
    names, weights, call = adapter._inputs, adapter._params, adapter._call
    apply = adapter._apply

    def leaves(values: Any, *arrays: Any) -> Any:
        return jax.tree.leaves(apply(values, *arrays))

    def compiled(given: Any, function: Any = leaves, **options: Any) -> Call:
        made = jax.jit(function).lower(given, *adapter._signature).compile(compiler_options=options)
        return lambda inputs: [
            np.asarray(output) for output in made(given, *[inputs[name] for name in names])
        ]

    def transposing(values: Any, *arrays: Any) -> Any:
        return leaves(
            {name: array.T if array.ndim == 2 else array for name, array in values.items()}, *arrays
        )

    rows_first = {
        name: jax.device_put(np.ascontiguousarray(array.T)) if array.ndim == 2 else array
        for name, array in weights.items()
    }
    closed = jax.jit(lambda *arrays: leaves(weights, *arrays)).lower(*adapter._signature).compile()
    calls = {
        "outputs by device_get": lambda inputs: jax.device_get(
            call(weights, *[inputs[name] for name in names])
        ),
        "matrices as (out, in)": compiled(rows_first, transposing),
        "weights as constants": lambda inputs: [
            np.asarray(output) for output in closed(*[inputs[name] for name in names])
        ],
        "xla_cpu_enable_fast_math": compiled(weights, xla_cpu_enable_fast_math=True),
        "xla_cpu_prefer_vector_width=512": compiled(weights, xla_cpu_prefer_vector_width="512"),
        "xla_cpu_use_onednn": compiled(weights, xla_cpu_use_onednn=True),
        "convolutions by YNNPACK": compiled(
            weights, xla_cpu_experimental_ynn_fusion_type="LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION"
        ),
    }
    # A second client in this process; what the first one has compiled stays with it.
    jax.extend.backend.clear_backends()
    other = type(adapter)(threads=threads, params=params)
    jax.config.update("jax_cpu_enable_async_dispatch", True)
    other.load(model)
    other.compile()
    return {"asynchronous dispatch": other.run, **calls}
