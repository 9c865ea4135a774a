"""`results.csv`: contract 4, one row per cell, rebuilt from the stored files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from harness.records import Phase
from harness.stats.intervals import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.stats.cell import CellStats, Measured
    from harness.stats.intervals import Estimate

COLUMNS: Final = {
    "cell_id": "string", "framework": "string", "model": "string",
    "cpus": "float64", "memory_bytes": "Int64", "batch": "Int64", "sequence": "Int64",
    "cpu_mode": "string", "threads": "string", "control": "string",
    "status": "string", "phase": "string", "reason": "string",
    "trials": "Int64", "iterations": "Int64",
    "stopped_by": "string", "precision": "float64",
    "p50_ms": "float64", "p50_low_ms": "float64", "p50_high_ms": "float64",
    "p90_ms": "float64", "p90_low_ms": "float64", "p90_high_ms": "float64",
    "p95_ms": "float64", "p95_low_ms": "float64", "p95_high_ms": "float64",
    "p99_ms": "float64", "p99_low_ms": "float64", "p99_high_ms": "float64",
    "core_p50_ms": "float64", "throughput_per_s": "float64", "throughput_per_cpu_s": "float64",
    "cpu_percent": "float64", "cpu_ms_per_inference": "float64", "cores_used": "float64", "system_share": "float64",
    "busy_threads": "Int64", "throttled_fraction": "float64", "throttled_ms_per_s": "float64",
    "peak_share": "float64", "growth_bytes_per_call": "float64",
    "rss_peak_bytes": "Int64", "anon_peak_bytes": "Int64", "cgroup_peak_bytes": "Int64",
    "import_ms": "float64", "load_ms": "float64", "compile_ms": "float64", "first_ms": "float64",
    "cold_start_ms": "float64", "max_abs_error": "float64", "max_rel_error": "float64",
    "limits_enforced": "boolean",
    "image_digest": "string", "framework_version": "string",
}  # fmt: skip
"""Name and pandas type of every column, in the order of the file."""

_FLOAT_FORMAT: Final = "%.6g"
"""Six digits: finer than the spread of any measurement here, and the same bytes on every machine."""
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def results_csv(measured: Iterable[Measured]) -> str:
    """Print one row per cell, in the order given; what is unknown is empty."""
    return results_frame(measured).to_csv(index=False, float_format=_FLOAT_FORMAT, lineterminator="\n")


def results_frame(measured: Iterable[Measured]) -> pd.DataFrame:
    """The same rows as typed columns, unrounded."""
    rows = [_identity(each) | _figures(each.stats) for each in measured]
    values = [{name: _inert(value) for name, value in row.items()} for row in rows]
    return pd.DataFrame(values, columns=list(COLUMNS), dtype=object).astype(COLUMNS)


def _identity(measured: Measured) -> dict[str, object]:
    result, cell = measured.result, measured.result.cell
    return {
        "cell_id": result.cell_id,
        "framework": cell.framework,
        "model": cell.model,
        "cpus": cell.cpus,
        "memory_bytes": cell.memory_bytes,
        "batch": cell.batch,
        "sequence": cell.sequence,
        "cpu_mode": cell.cpu_mode.value,
        "threads": str(cell.threads),
        "control": "floor" if cell.is_floor else "twin" if cell.twin else None,
        "status": result.status.value,
        "phase": result.phase.value if result.phase else None,
        "reason": result.reason or None,
        "stopped_by": result.stopped_by.value if result.stopped_by else None,
    }


def _figures(stats: CellStats) -> dict[str, object]:
    return {
        "trials": stats.trials,
        "iterations": stats.iterations,
        **bounds("p50", stats.p50_ms),
        "precision": stats.precision,
        "core_p50_ms": value_of(stats.core_p50_ms),
        **bounds("p90", stats.p90_ms),
        **bounds("p95", stats.p95_ms),
        **bounds("p99", stats.p99_ms),
        "throughput_per_s": stats.throughput_per_s,
        "throughput_per_cpu_s": stats.throughput_per_cpu_s,
        "cpu_percent": stats.cpu_percent,
        "cpu_ms_per_inference": stats.cpu_ms_per_inference,
        "cores_used": stats.cores_used,
        "system_share": stats.system_share,
        "busy_threads": stats.busy_threads,
        "throttled_fraction": stats.throttled_fraction,
        "throttled_ms_per_s": stats.throttled_ms_per_s,
        "peak_share": stats.peak_share,
        "growth_bytes_per_call": stats.growth_bytes_per_call,
        "rss_peak_bytes": value_of(stats.rss_peak_bytes),
        "anon_peak_bytes": stats.anon_peak_bytes,
        "cgroup_peak_bytes": stats.cgroup_peak_bytes,
        "import_ms": stats.phase_ms.get(Phase.IMPORT),
        "load_ms": stats.phase_ms.get(Phase.LOAD),
        "compile_ms": stats.phase_ms.get(Phase.COMPILE),
        "first_ms": stats.phase_ms.get(Phase.FIRST),
        "cold_start_ms": value_of(stats.cold_start_ms),
        "max_abs_error": stats.max_abs_error,
        "max_rel_error": stats.max_rel_error,
        "limits_enforced": stats.limits_enforced,
        "image_digest": stats.image_digest,
        "framework_version": stats.framework_version,
    }


def bounds(name: str, estimate: Estimate | None) -> dict[str, object]:
    """A percentile and its interval."""
    return {
        f"{name}_ms": value_of(estimate),
        f"{name}_low_ms": estimate.low if estimate else None,
        f"{name}_high_ms": estimate.high if estimate else None,
    }


def _inert(value: object) -> object:
    """Keep a spreadsheet from running text that a container wrote: reasons and versions are untrusted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
