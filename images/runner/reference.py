"""`python3 -m runner.reference`: how fast this machine is right now, in a container of its own.

Three fixed pieces of work: a float32 matrix product, which is bound by the vector units; a copy that fits no cache,
which is bound by memory; and a loop of the interpreter, which is bound by everything else, as calls of a few
microseconds are. They stand for the machine, not for a framework: when they slow down, so did everybody.

Standard input carries one line, `{"threads": N, "seconds": S}`; the answer is one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 768
"""Of the square matrices: 6.75 MiB in all, 0.9 GFLOP a product."""
COPY_BYTES = 64 * 1024**2
LOOP_STEPS = 20_000
SHARES = {"matmul": 0.6, "copy": 0.2, "loop": 0.2}
"""Of the time."""
WARM_UP = 2


def main() -> None:
    """Measure once and print the figures."""
    job = json.loads(sys.stdin.readline())
    # Read when numpy is imported; there is no later way to say it.
    os.environ["OPENBLAS_NUM_THREADS"] = str(job["threads"])
    import numpy as np  # noqa: PLC0415

    rng = np.random.default_rng(0)
    left, right = (rng.random((SIDE, SIDE), dtype=np.float32) for _ in range(2))
    product = np.empty_like(left)
    source = np.ones(COPY_BYTES, dtype=np.uint8)
    target = np.zeros_like(source)
    work = {
        "matmul": lambda: np.matmul(left, right, out=product),
        "copy": lambda: np.copyto(target, source),
        "loop": count,
    }
    times = {f"{name}_ns": repeat(work[name], job["seconds"] * share) for name, share in SHARES.items()}
    print(json.dumps({"multiply_adds": SIDE**3, "copy_bytes": COPY_BYTES, **times}), flush=True)


def count() -> None:
    """Keep the interpreter busy."""
    number = 0
    for step in range(LOOP_STEPS):
        number += step


def repeat(work: Callable[[], object], seconds: float) -> list[int]:
    """Repeat some work for a while.

    Returns:
        The time of each repetition in nanoseconds, at least one.
    """
    for _ in range(WARM_UP):
        work()
    deadline = time.perf_counter_ns() + round(seconds * 1e9)
    times: list[int] = []
    end = 0
    while end < deadline:
        start = time.perf_counter_ns()
        work()
        end = time.perf_counter_ns()
        times.append(end - start)
    return times


if __name__ == "__main__":
    main()
