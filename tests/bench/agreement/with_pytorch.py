"""PyTorch against `torch.utils.benchmark`.

Its `Timer` reports the mean over a block of calls; one call a block makes its median comparable with a median of calls.
The statement is what its users would write, inference mode entered by the adapter for the whole process.
"""

import torch
from torch.utils import benchmark


def tools(adapter, model, inputs, *, threads, batch):
    """Each claim: the other tool's name, the harness's clock that it is held against, and its block."""
    timers = [
        benchmark.Timer(
            stmt="module(torch.from_numpy(features)).numpy()",
            globals={"module": adapter._module, "torch": torch, "features": chosen["features"]},
            num_threads=threads,
        )
        for chosen in inputs
    ]

    def block(seconds, least):
        # As many measurements as fit, of one call each: the tool's own clock, statement and thread setting.
        times = []
        spent = 0.0
        while spent < seconds or len(times) < least:
            (time,) = timers[len(times) % len(timers)].timeit(number=1).times
            times.append(time * 1e9)
            spent += time
        return times

    return [("torch.utils.benchmark", "end_to_end", block)]
