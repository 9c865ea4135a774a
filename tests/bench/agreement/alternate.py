"""The part of `agree.py` that runs in the image: `python3 -c THIS THREADS DIMS PARAMS TOOL PAIRS SECONDS`.

Measures a call with the harness's own loop and with another tool's, in short blocks that take turns, and prints the
median of each block. Two blocks make a pair, and the order within a pair alternates.
"""

import gc
import importlib
import json
import sys
import time

import numpy as np
from runner.batches import load_batches
from runner.measure import bind, measure
from runner.model import ModelFiles
from runner.warmup import warm_up

BLOCK_S = 0.06
LEAST_CALLS = 5
WARMUP_S = 0.3
LARGE_NS = 1e6
"""A call of at least so much is large: what Python does around it hardly counts."""


def main() -> None:
    """Take turns until the pairs or the time are used up."""
    threads, dims, params = map(json.loads, sys.argv[1:4])
    pairs = int(sys.argv[5])
    adapter = importlib.import_module("adapter").Adapter(threads=threads, params=params)
    model = ModelFiles(dims)
    inputs, references = load_batches(model, kinds=8)
    adapter.load(model)
    adapter.compile()
    gc.collect()
    gc.freeze()
    gc.disable()
    # As a trial does, and before the other tool exists: the process is then in a state that trials are in.
    warmup, _ = warm_up(adapter.run, inputs, seconds=WARMUP_S)
    names: dict[str, object] = {}
    exec(sys.argv[4], names)  # our own text
    tools = names["tools"]
    assert callable(tools)
    natives = None
    deadline = time.monotonic() + float(sys.argv[6])
    told = []
    # Clock by clock, as in a trial: what belongs to the second may disturb the first.
    claims = tools(adapter, model, inputs, threads=threads, large=np.median(warmup[-1]) >= LARGE_NS)
    for number, (name, clock, block) in enumerate(sorted(claims, key=lambda claim: claim[1], reverse=True)):
        if clock == "core" and natives is None:
            natives = bind(adapter.to_native, inputs, references.nbytes)
        calls, given = (adapter.run, inputs) if clock == "end_to_end" else (adapter.infer, natives)

        def own(calls: object = calls, given: object = given) -> float:
            found = measure(
                calls, given, seconds=BLOCK_S, min_iterations=LEAST_CALLS, max_iterations=1_000_000
            )
            return float(np.median(found))

        def other(block: object = block) -> float:
            assert callable(block)
            return float(np.median(block(BLOCK_S, LEAST_CALLS)))

        own(), other(), own(), other()  # warm both ways up
        found = []
        until = time.monotonic() + (deadline - time.monotonic()) / (len(claims) - number)
        for pair in range(pairs):
            found.append((own(), other()) if pair % 2 else (other(), own())[::-1])
            if time.monotonic() > until:
                break
        told.append({"tool": name, "clock": clock, "pairs_ns": found})
    sys.stdout.write(json.dumps(told))


main()
