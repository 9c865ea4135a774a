"""`results.csv`: contract 4, one row per cell, rebuilt from the stored files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from harness.columns import COLUMNS
from harness.records import Phase
from harness.stats.intervals import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.stats.cell import CellStats, Measured
    from harness.stats.intervals import Estimate

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
    kinds = {name: column.kind for name, column in COLUMNS.items()}
    return pd.DataFrame(values, columns=list(kinds), dtype=object).astype(kinds)


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
