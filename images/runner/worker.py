"""The worker: takes one framework through the phases and reports each as it ends.

Started by the supervisor as `python3 -m runner.worker JOB START`, both JSON. What this module imports before the
phase `import` stands in that phase's figures for every framework alike, so it is little.
"""

from __future__ import annotations

import gc
import importlib
import json
import platform
import sys
import traceback
from typing import Any

from runner.cgroup import open_cgroup
from runner.conditions import conditions
from runner.phases import Phases, process_start, report
from runner.process import volunteer_for_oom
from runner.threads import run_times, threads_record

TEXT_LIMIT = 8000
KINDS_OF_INPUT = 8
EXACT_TYPES = ("bool", "int16", "int32", "int64", "uint16", "uint32", "uint64")
"""Of outputs that are labels and indices; those of eight bits are quantized numbers."""
CORE_SHARE = 0.5
"""Of the steady phase's time, for the same calls on the framework's own tensors."""


def run_trial(job: dict[str, Any], start: dict[str, Any], phases: Phases) -> None:
    """Go through all phases of one trial, and then the second clock."""
    with phases.phase("import", process_start(phases.cgroup, start)):
        adapter_module = importlib.import_module("adapter")
    # Only now: numpy is the framework's import as well, and its cost belongs to that phase.
    import numpy as np  # noqa: PLC0415

    from runner.batches import load_batches  # noqa: PLC0415
    from runner.growth import Growth  # noqa: PLC0415
    from runner.measure import bind, compare, measure, resident_bytes, samples_record  # noqa: PLC0415
    from runner.model import ModelFiles  # noqa: PLC0415
    from runner.warmup import warm_up  # noqa: PLC0415

    model = ModelFiles(job["dims"])
    inputs, references = load_batches(model, kinds=KINDS_OF_INPUT)
    with phases.phase("load"):
        adapter = adapter_module.Adapter(threads=job["threads"], params=job["params"])
        adapter.load(model)
    with phases.phase("compile"):
        adapter.compile()
    report(framework_record(adapter.describe(), job["threads"]))
    with phases.phase("first"):
        first = measure(adapter.run, inputs[:1], seconds=0, min_iterations=1, max_iterations=1)
        phases.kept_bytes += resident_bytes(first)
    report(samples_record("first", first))

    # A collection in the middle of a call would be charged to the framework that happened to run. From here on garbage
    # is collected between calls; what there is by now is frozen, so that this costs little.
    gc.collect()
    gc.freeze()
    gc.disable()
    bounds = {"min_iterations": job["min_iterations"], "max_iterations": job["max_iterations"]}
    with phases.phase("warmup"):
        windows, settling = warm_up(adapter.run, inputs, seconds=job["warmup_s"])
        phases.kept_bytes += sum(map(resident_bytes, windows))
    growth = Growth()
    before, started = run_times(), conditions("steady_start")
    with phases.phase("steady"):
        steady = measure(adapter.run, inputs, seconds=job["budget_s"], note=growth.note, **bounds)
        phases.kept_bytes += resident_bytes(steady)
    ended, after = conditions("steady_end"), run_times()
    for record in (settling, started, ended, threads_record(before, after), growth.record()):
        report(record)
    report(samples_record("warmup", np.concatenate(windows)))
    report(samples_record("steady", steady))
    output = compare(
        adapter.run,
        inputs,
        references,
        exact=[tensor.dtype in EXACT_TYPES for tensor in model.outputs],
        tolerance=model.spec["tolerance"],
        classifies=model.spec["task"] == "classification",
    )
    report(output)
    # All that the trial is judged by has been sent: what the second clock does can cost no more than its own figure.
    del windows, steady
    natives = bind(adapter.to_native, inputs, references.nbytes)
    core = measure(
        adapter.infer,
        natives,
        seconds=job["budget_s"] * CORE_SHARE,
        note=lambda _: gc.collect(),
        **bounds,
    )
    del natives
    gc.enable()
    report(samples_record("steady", core, clock="core"))
    report(process_record())


def framework_record(described: dict[str, Any], threads: int | None) -> dict[str, object]:
    """What the framework says of itself."""
    return {
        "type": "framework",
        "version": described["version"],
        "python": platform.python_version(),
        "threads_told": threads,
        "threads_reported": described["threads"],
        "settings": described["settings"],
    }


def process_record() -> dict[str, object]:
    """This process as psutil sees it; imported last, so that no phase pays for it."""
    import psutil  # noqa: PLC0415

    me = psutil.Process()
    times = me.cpu_times()
    return {
        "type": "process",
        "rss_bytes": me.memory_info().rss,
        "user_s": times.user,
        "system_s": times.system,
        "threads": me.num_threads(),
    }


def error_record(error: BaseException, phase: str | None) -> dict[str, object]:
    """An exception, for the verdict; the traceback's end is the part that explains."""
    return {
        "type": "error",
        "phase": phase,
        "kind": type(error).__name__,
        "message": str(error)[:TEXT_LIMIT],
        "traceback": "".join(traceback.format_exception(error))[-TEXT_LIMIT:],
    }


def main() -> None:
    """Run one trial; an exception is reported and ends the process with 1."""
    volunteer_for_oom()
    phases = Phases(open_cgroup())
    try:
        run_trial(json.loads(sys.argv[1]), json.loads(sys.argv[2]), phases)
    except Exception as error:  # noqa: BLE001 - a framework may raise anything, and all of it is a result
        report(error_record(error, phases.current))
        sys.exit(1)


if __name__ == "__main__":
    main()
