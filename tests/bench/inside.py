"""The part of `calls.py` that runs in the image: `python3 -c THIS THREADS DIMS PARAMS ALTERNATIVES`."""

import importlib
import json
import sys

from runner.batches import load_batches
from runner.measure import compare, measure
from runner.model import ModelFiles

ROUNDS = 5
SECONDS = 0.1
LEAST_CALLS = 3


def main() -> None:
    """Time the shipped call and its alternatives in turn; one that answers wrong says so in its name."""
    threads, dims, params = map(json.loads, sys.argv[1:4])
    adapter = importlib.import_module("adapter").Adapter(threads=threads, params=params)
    model = ModelFiles(dims)
    adapter.load(model)
    adapter.compile()
    names: dict[str, object] = {}
    exec(sys.argv[4], names)  # our own text
    alternatives = names["alternatives"]
    assert callable(alternatives)
    calls = {"shipped": adapter.run, **alternatives(adapter, model, threads=threads, params=params)}
    inputs, expected = load_batches(model, kinds=8)
    medians: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            latencies = measure(
                call, inputs, seconds=SECONDS, min_iterations=LEAST_CALLS, max_iterations=1_000_000
            )
            if turn:  # the first one warms up
                medians[name].append(sorted(latencies)[len(latencies) // 2] / 1000)
    tolerance = model.spec["tolerance"]
    told = {}
    for name, values in medians.items():
        exact = [False] * len(model.outputs)
        output = compare(calls[name], inputs, expected, exact=exact, tolerance=tolerance, classifies=False)
        error = output["max_rel_error"]
        wrong = not isinstance(error, float) or error > tolerance
        told[f"{name} (WRONG by {error:.0e})" if wrong else name] = sorted(values)[len(values) // 2]
    sys.stdout.write(json.dumps(told))


main()
