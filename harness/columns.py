"""The columns of `results.csv` and its kin: contract 4. `docs/reference/columns.md` is made from this.

They stand apart from what fills them, so that whoever only wants to know them need not load pandas.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from harness.stats.samples import SAMPLES_NEEDED


class Column(NamedTuple):
    """What a column holds."""

    kind: str
    """Its pandas type."""
    unit: str
    meaning: str
    empty: str = ""
    """When it is: a figure that is unknown is never a made-up 0."""


_FEW: Final = "fewer than two trials ended `ok`"
_NO_STEADY: Final = "no trial had a steady phase"
_NO_ACCOUNT: Final = "the kernel does not account it"
_NO_PHASE: Final = "no trial ended that phase"
_NO_CHECK: Final = "no output was checked, or one is not a number"


def _percentile(percent: int) -> dict[str, Column]:
    """A percentile and its interval."""
    few = f"fewer than {SAMPLES_NEEDED[percent]} calls in any trial"
    what = f"{percent}th percentile of a call's latency"
    return {
        f"p{percent}_ms": Column("float64", "ms", f"{what}, geometric mean over trials.", few),
        f"p{percent}_low_ms": Column("float64", "ms", "Lower end of its 95 % interval.", f"{few}, or {_FEW}"),
        f"p{percent}_high_ms": Column(
            "float64", "ms", "Upper end of its 95 % interval.", f"{few}, or {_FEW}"
        ),
    }


COLUMNS: Final = {
    "cell_id": Column("string", "", "Its id, unique in the run; opaque."),
    "framework": Column("string", "", "Name of the framework, or of the variant."),
    "model": Column("string", "", "Name of the model."),
    "cpus": Column("float64", "cores", "The limit."),
    "memory_bytes": Column("Int64", "bytes", "The cap, swap included."),
    "batch": Column("Int64", "items", "In a call."),
    "sequence": Column("Int64", "", "Length of the sequences.", "the model has none"),
    "cpu_mode": Column("string", "", "How `cpus` is enforced: `cpuset` or `quota`."),
    "threads": Column("string", "", "What the framework is told: `match`, a number, or `default`."),
    "control": Column(
        "string", "", "`floor` or `twin`: there to judge the run by, not to be ranked.", "a cell of the matrix"
    ),
    "status": Column("string", "", "How it ended: the worst of its trials' statuses."),
    "phase": Column("string", "", "Where the worst trial ended.", "it ended well, or before any phase"),
    "reason": Column("string", "", "How many trials failed and why, or why it was skipped.", "it ended well"),
    "trials": Column(
        "Int64", "", "Those that count: of each round the last attempt; 0 for a cell that never ran."
    ),
    "iterations": Column(
        "Int64", "calls", "Measured in the steady phases, over all trials that ended `ok`.", _NO_STEADY
    ),
    "stopped_by": Column(
        "string", "",
        "Why no more trials were spent: `precision`, `trials` or `time`.", "it never ran, or was interrupted",
    ),
    "precision": Column(
        "float64", "part", "Half the width of the median's interval, on its wider side, over the median.", _FEW
    ),
    "p50_ms": Column("float64", "ms", "Median of a call's latency, geometric mean over trials.", _NO_STEADY),
    "p50_low_ms": Column("float64", "ms", "Lower end of its 95 % interval.", _FEW),
    "p50_high_ms": Column("float64", "ms", "Upper end of its 95 % interval.", _FEW),
    **_percentile(90),
    **_percentile(95),
    **_percentile(99),
    "core_p50_ms": Column(
        "float64", "ms", "Median of the same call on the framework's own tensors.", _NO_STEADY
    ),
    "throughput_per_s": Column("float64", "items/s", "Items, not calls, in the steady phase.", _NO_STEADY),
    "throughput_per_cpu_s": Column(
        "float64", "items/s",
        "Items per second of CPU time: what a machine that is always busy would get out of it.", _NO_ACCOUNT,
    ),
    "cpu_percent": Column(
        "float64", "%", "CPU time over wall time in the steady phase; 100 is one core.", _NO_ACCOUNT
    ),
    "cpu_ms_per_inference": Column("float64", "ms", "CPU time of the cgroup over calls.", _NO_ACCOUNT),
    "cores_used": Column("float64", "cores", "CPU time over wall time.", _NO_ACCOUNT),
    "system_share": Column(
        "float64", "0 to 1", "Of the worker's CPU time what the kernel spent for it.", _NO_ACCOUNT
    ),
    "busy_threads": Column(
        "Int64", "",
        "Threads with more than 5 % of the busiest one's CPU time in the steady phase, the most of any trial.",
        "the kernel does not show it",
    ),
    "throttled_fraction": Column(
        "float64", "0 to 1", "Share of the scheduler's periods that ended throttled.", "no quota"
    ),
    "throttled_ms_per_s": Column(
        "float64", "ms/s", "Time that the quota held threads back, summed over CPUs.", "no quota"
    ),
    "peak_share": Column(
        "float64", "0 to 1", "Multiply-adds a second over those of the reference probe.", "no probe ran on its CPUs"
    ),
    "growth_bytes_per_call": Column(
        "float64", "bytes",
        "Slope of the anonymous memory over the steady phase, median over trials; 0 in a trial where it changed by "
        "less than a mebibyte in all.",
        "too few calls",
    ),
    "rss_peak_bytes": Column(
        "Int64", "bytes",
        "Largest resident size (VmHWM, less the latencies kept) of any phase and trial; "
        "where the cgroup's peak is the cap, what reclaim left.",
        "not readable",
    ),
    "anon_peak_bytes": Column(
        "Int64", "bytes", "Largest anonymous memory of the worker at a phase's end.", "not readable"
    ),
    "cgroup_peak_bytes": Column(
        "Int64", "bytes",
        "Most that was charged to the cgroup, page cache and supervisor included; the cap once cache fills it.",
        "the kernel keeps no peak",
    ),
    "import_ms": Column(
        "float64", "ms", "Wall time of importing the framework, median over trials.", _NO_PHASE
    ),
    "load_ms": Column("float64", "ms", "Wall time of loading the model, median over trials.", _NO_PHASE),
    "compile_ms": Column("float64", "ms", "Wall time of compiling it, median over trials.", _NO_PHASE),
    "first_ms": Column("float64", "ms", "Wall time of the first call, median over trials.", _NO_PHASE),
    "cold_start_ms": Column(
        "float64", "ms",
        "Process start to first answer; with `page_cache: cold` neither libraries nor model were in the page cache.",
        "no trial came to its first answer",
    ),
    "max_abs_error": Column("float64", "", "Largest error against the reference, over trials.", _NO_CHECK),
    "max_rel_error": Column(
        "float64", "part", "Likewise, each as a part of the largest reference value of its output.", _NO_CHECK
    ),
    "limits_enforced": Column(
        "boolean", "",
        "Whether the limits read back from inside are those asked for, in every trial that started.",
        "no trial started",
    ),
    "image_digest": Column("string", "", "Id of the image that ran.", "it never ran"),
    "framework_version": Column("string", "", "What the framework itself says.", "it never said"),
}  # fmt: skip
"""In the order of the file."""
JSON_VERSION: Final = 1


def results_schema() -> dict[str, Any]:
    """The JSON Schema of `results.json`."""
    kinds = {"string": "string", "float64": "number", "Int64": "integer", "boolean": "boolean"}
    columns = {
        name: {"type": [kinds[column.kind], "null"] if column.empty else kinds[column.kind]}
        for name, column in COLUMNS.items()
    }
    row = {"type": "object", "properties": columns, "required": list(COLUMNS), "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The figures of all cells: results.json",
        "type": "object",
        "properties": {
            "version": {"const": JSON_VERSION},
            "run_id": {"type": "string"},
            "cells": {"type": "array", "items": row},
        },
        "required": ["version", "run_id", "cells"],
        "additionalProperties": False,
    }
