"""The part of `probe_length.py` that runs in the image: `python3 -c THIS THREADS DIMS PARAMS TURNS SECONDS`."""

import importlib
import json
import sys

import numpy as np
from runner.batches import load_batches
from runner.model import ModelFiles
from runner.reference import SIDE, repeat

CALL_S = 1.0


def main() -> None:
    """Take turns and print all times."""
    threads, dims, params, turns, seconds = map(json.loads, sys.argv[1:6])
    adapter = importlib.import_module("adapter").Adapter(threads=threads, params=params)
    model = ModelFiles(dims)
    adapter.load(model)
    adapter.compile()
    (inputs,), _ = load_batches(model, kinds=1)
    left = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
    product = np.empty_like(left)
    told = [
        (
            repeat(lambda: np.matmul(left, left, out=product), seconds),
            repeat(lambda: adapter.run(inputs), CALL_S),
        )
        for _ in range(turns)
    ]
    sys.stdout.write(json.dumps(told))


main()
