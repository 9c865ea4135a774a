"""`results.csv`: contract 4, one row per cell, rebuilt from the stored files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from harness.intervals import value_of
from harness.records import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.stats import CellStats, Measured

COLUMNS: Final = {
    "cell_id": "string", "framework": "string", "model": "string",
    "cpus": "float64", "memory_bytes": "Int64", "batch": "Int64",
    "status": "string", "phase": "string", "reason": "string",
    "trials": "Int64", "iterations": "Int64",
    "p50_ms": "float64", "p50_low_ms": "float64", "p50_high_ms": "float64",
    "p90_ms": "float64", "p95_ms": "float64", "p99_ms": "float64", "throughput_per_s": "float64",
    "cpu_percent": "float64", "cpu_ms_per_inference": "float64", "throttled_fraction": "float64",
    "rss_peak_bytes": "Int64", "anon_peak_bytes": "Int64", "cgroup_peak_bytes": "Int64",
    "import_ms": "float64", "load_ms": "float64", "compile_ms": "float64", "first_ms": "float64",
    "cold_start_ms": "float64", "max_abs_error": "float64", "limits_enforced": "boolean",
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
        "status": result.status.value,
        "phase": result.phase.value if result.phase else None,
        "reason": result.reason or None,
    }


def _figures(stats: CellStats) -> dict[str, object]:
    p50 = stats.p50_ms
    return {
        "trials": stats.trials,
        "iterations": stats.iterations,
        "p50_ms": value_of(p50),
        "p50_low_ms": p50.low if p50 else None,
        "p50_high_ms": p50.high if p50 else None,
        "p90_ms": stats.p90_ms,
        "p95_ms": stats.p95_ms,
        "p99_ms": stats.p99_ms,
        "throughput_per_s": stats.throughput_per_s,
        "cpu_percent": stats.cpu_percent,
        "cpu_ms_per_inference": stats.cpu_ms_per_inference,
        "throttled_fraction": stats.throttled_fraction,
        "rss_peak_bytes": value_of(stats.rss_peak_bytes),
        "anon_peak_bytes": stats.anon_peak_bytes,
        "cgroup_peak_bytes": stats.cgroup_peak_bytes,
        "import_ms": stats.phase_ms.get(Phase.IMPORT),
        "load_ms": stats.phase_ms.get(Phase.LOAD),
        "compile_ms": stats.phase_ms.get(Phase.COMPILE),
        "first_ms": stats.phase_ms.get(Phase.FIRST),
        "cold_start_ms": value_of(stats.cold_start_ms),
        "max_abs_error": stats.max_abs_error,
        "limits_enforced": stats.limits_enforced,
        "image_digest": stats.image_digest,
        "framework_version": stats.framework_version,
    }


def _inert(value: object) -> object:
    """Keep a spreadsheet from running text that a container wrote: reasons and versions are untrusted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
