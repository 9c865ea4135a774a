"""`python3 -m article`: one sitting of the seed article's benchmark, with some of its flaws taken away.

Standard input carries one line, `{"gone": [NAME, ...], "frameworks": [NAME, ...], "threads": N}`, and is then held
open; its end means that the harness is gone. Standard output carries one line of JSON for the limits, and one for each
framework as it ends.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

import psutil
from runner import page_cache
from runner.cgroup import open_cgroup
from runner.process import status
from runner.supervisor import limits_record
from work import INPUT, WIDTHS, Work, tell_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.batches import References
    from work import Call

RUNS = 1000
"""`num_runs` of the article."""
ROWS = 1000
MIB = 1024 * 1024
WARM_UP_S = 0.3
SECONDS = 1.0
"""Of the fair measurement, as a trial of the matrix has it."""
LEAST_CALLS, MOST_CALLS = 10, 1_000_000
KINDS = 8
TEXT_LIMIT = 2000


def main() -> None:
    """Take the frameworks one after the other, in this one process."""
    output = keep_output()
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=leave_with_harness, daemon=True).start()
    gone = frozenset(job["gone"])
    if "limits" in gone:
        page_cache.drop(page_cache.measured_files())
    report(output, limits_record(open_cgroup()))
    if "threads" in gone:
        tell_threads(job["threads"])
    for name in job["frameworks"]:
        try:
            told = measure_framework(name, gone, job["threads"])
        except Exception as error:  # noqa: BLE001 - whatever it raises, the others still get their turn
            told = {"error": f"{type(error).__name__}: {error}"[:TEXT_LIMIT]}
            traceback.print_exc()
        report(output, {"framework": name, **told})


def measure_framework(name: str, gone: frozenset[str], threads: int) -> dict[str, Any]:
    """Measure one of the five.

    Returns:
        Version, latency of a call in milliseconds, percent of one core, resident MiB, and the largest relative error
        where answers are checked.
    """
    framework = importlib.import_module(f"with_{name}")
    from runner.model import ModelFiles  # noqa: PLC0415 - numpy comes after the threads are told

    work = Work(model=ModelFiles({"batch": ROWS}), gone=gone, told_threads=threads)
    call = framework.make(work)
    inputs, expected = choose_inputs(work)
    if work.is_gone("warmup"):
        from runner.warmup import warm_up  # noqa: PLC0415

        warm_up(call, inputs, seconds=WARM_UP_S)
    figures = from_outside(call, inputs) if work.is_gone("outside") else as_in_article(call, inputs[0])
    # After the clock: it would be a warm-up.
    error = None if expected is None else check(work, call, inputs, expected)
    return {"version": importlib.metadata.version(framework.PACKAGE), "max_rel_error": error, **figures}


def choose_inputs(work: Work) -> tuple[list[dict[str, Any]], References | None]:
    """The article's random rows, to which nobody knows the answer; or the matrix's own inputs with theirs."""
    if not work.is_gone("work"):
        import numpy as np  # noqa: PLC0415

        return [{INPUT: np.random.rand(ROWS, WIDTHS[0]).astype(np.float32)}], None  # noqa: NPY002 - as it has it
    from runner.batches import load_batches  # noqa: PLC0415

    return load_batches(work.model, kinds=KINDS if work.is_gone("outside") else 1)


def check(work: Work, call: Call, inputs: list[dict[str, Any]], expected: References) -> float:
    """The largest relative error of the answers.

    Raises:
        ValueError: it is larger than the model allows.
    """
    from runner.measure import compare  # noqa: PLC0415

    tolerance = work.model.spec["tolerance"]
    output = compare(call, inputs, expected, exact=[False], tolerance=tolerance, classifies=False)
    error = output["max_rel_error"]
    if not isinstance(error, float) or error > tolerance:
        raise ValueError(f"its answer is wrong: relative error {error}, allowed {tolerance}")
    return error


def as_in_article(call: Call, inputs: dict[str, Any]) -> dict[str, float]:
    """Its loop: the mean over all runs, psutil's readings among them."""
    process = psutil.Process()
    cpu: list[float] = []
    memory: list[float] = []
    start = time.time()
    for _ in range(RUNS):
        call(inputs)
        cpu.append(process.cpu_percent())
        memory.append(process.memory_info().rss / MIB)
    end = time.time()
    return {
        "latency_ms": (end - start) / RUNS * 1000,
        "cpu_percent": sum(cpu) / RUNS,
        "memory_mb": sum(memory) / RUNS,
    }


def from_outside(call: Call, inputs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The matrix's own loop: each call timed by itself, CPU and memory from the kernel's counters."""
    import numpy as np  # noqa: PLC0415
    from runner.measure import measure  # noqa: PLC0415

    gc.collect()
    gc.disable()
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    latencies = measure(call, inputs, seconds=SECONDS, min_iterations=LEAST_CALLS, max_iterations=MOST_CALLS)
    cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    gc.enable()
    return {
        "latency_ms": float(np.median(latencies)) / 1e6,
        "cpu_percent": 100 * cpu / wall,
        "memory_mb": (status()["rss_peak_bytes"] or 0) / MIB,
    }


def keep_output() -> int:
    """Keep standard output for the answers; what libraries print goes to standard error."""
    output = os.dup(1)
    os.dup2(2, 1)
    return output


def report(output: int, answer: dict[str, Any]) -> None:
    """Write one line."""
    os.write(output, json.dumps(answer).encode() + b"\n")


def leave_with_harness() -> None:
    """End the process when nobody listens any more."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
