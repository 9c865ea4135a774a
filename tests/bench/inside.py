"""The part of `calls.py` that runs in the image: `python3 -c THIS ALTERNATIVES THREADS BATCH`."""

import importlib
import json
import sys

from runner.batches import load_batches
from runner.measure import compare, measure
from runner.model import ModelFiles

ROUNDS = 9
SECONDS = 0.1


def main() -> None:
    """Time the shipped call and its alternatives in turn; one that answers wrong says so in its name."""
    adapter = importlib.import_module("adapter").Adapter(threads=int(sys.argv[2]), batch=int(sys.argv[3]))
    model = ModelFiles()
    adapter.load(model)
    adapter.compile()
    names: dict[str, object] = {}
    exec(sys.argv[1], names)  # our own text
    alternatives = names["alternatives"]
    assert callable(alternatives)
    calls = {
        "shipped": adapter.run,
        **alternatives(adapter, model, threads=int(sys.argv[2]), batch=int(sys.argv[3])),
    }
    inputs, expected = load_batches(model, batch=int(sys.argv[3]), kinds=8)
    medians: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            latencies = measure(call, inputs, seconds=SECONDS, min_iterations=5, max_iterations=1_000_000)
            if turn:  # the first one warms up
                medians[name].append(sorted(latencies)[len(latencies) // 2] / 1000)
    told = {}
    for name, values in medians.items():
        error = compare(calls[name], inputs, expected, model.spec["tolerance"])["max_abs_error"]
        wrong = isinstance(error, float) and error > model.spec["tolerance"]
        told[f"{name} (WRONG by {error:.0e})" if wrong else name] = sorted(values)[len(values) // 2]
    sys.stdout.write(json.dumps(told))


main()
