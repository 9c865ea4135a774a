"""PyTorch against `torch.utils.benchmark`.

Its `Timer` reports the mean over a block of calls; one call a block makes its median comparable with a median of calls.
Before each block it makes two calls of its own that it does not time, so the inputs come from a cycle: all of one input
would find it in the cache. The statement is what its users would write, inference mode entered by the adapter for the
whole process.
"""

from itertools import cycle
from time import perf_counter

import torch
from torch.utils import benchmark


def tools(adapter, model, inputs, *, threads, large):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    timer = benchmark.Timer(
        stmt="module(*map(torch.from_numpy, next(arrays))).numpy()",
        globals={
            "module": adapter._call,
            "torch": torch,
            "arrays": cycle([[chosen[tensor.name] for tensor in model.inputs] for chosen in inputs]),
        },
        num_threads=threads,
    )

    def block(seconds, least):
        # As many measurements as fit, of one call each: the tool's own clock, statement and thread setting.
        times = []
        begin = perf_counter()
        while perf_counter() - begin < seconds or len(times) < least:
            (time,) = timer.timeit(number=1).times
            times.append(time * 1e9)
        return times

    return [("torch.utils.benchmark", "end_to_end", block)]
