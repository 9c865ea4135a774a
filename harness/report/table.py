"""`results.csv` and its kin: contract 4, one row per cell, rebuilt from the stored files."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

import pandas as pd

from harness.columns import COLUMNS, JSON_VERSION
from harness.errors import StoreError
from harness.records import Phase
from harness.stats.intervals import value_of
from harness.store import write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.stats.cell import CellStats, Measured
    from harness.stats.intervals import Estimate

FLOAT_FORMAT: Final = "%.6g"
"""Six digits: finer than the spread of any measurement here, and the same bytes on every machine."""
KINDS: Final = {name: column.kind for name, column in COLUMNS.items()}
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def in_order(measured: Iterable[Measured]) -> list[Measured]:
    """Cells in the order of the table: by workload, limit and framework; twins stand after all others."""
    return sorted(measured, key=_row_order)


def results_frame(measured: Iterable[Measured]) -> pd.DataFrame:
    """One row per cell, in the order given, as typed columns, unrounded; what is unknown is missing."""
    rows = [_identity(each) | _figures(each.stats) for each in measured]
    return pd.DataFrame(rows, columns=list(KINDS), dtype=object).astype(KINDS)


def results_csv(frame: pd.DataFrame) -> str:
    """Print the rows as `results.csv`; what is unknown is empty."""
    texts = {name: frame[name].astype(object).map(_inert) for name, kind in KINDS.items() if kind == "string"}
    return frame.assign(**texts).to_csv(index=False, float_format=FLOAT_FORMAT, lineterminator="\n")


def results_json(run_id: str, frame: pd.DataFrame) -> str:
    """Print the rows as `results.json`: the same columns and digits; what is unknown is null."""
    columns = [_plain(frame[name].tolist()) for name in COLUMNS]
    cells = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]
    # A cell a line: a change is a line then, for people and for version control.
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
    head = f'{{"version": {JSON_VERSION}, "run_id": {json.dumps(run_id)}, "cells": ['
    return f"{head}\n{lines}\n]}}\n" if cells else f"{head}]}}\n"


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write the rows, unrounded, as `results.parquet`.

    Raises:
        StoreError: pyarrow is not installed, or the file cannot be written.
    """
    try:
        content = frame.to_parquet(None, engine="pyarrow", index=False)
    except ImportError as error:
        raise StoreError(
            f"{path} cannot be written: pyarrow is missing",
            why="Parquet is an extra, as most people need none",
            fix="pip install pyarrow, with the pip of the same environment, then: edgematrix report --parquet",
        ) from error
    write_bytes_atomically(path, content)


def _row_order(measured: Measured) -> tuple[object, ...]:
    cell = measured.result.cell
    limits = (cell.cpus, cell.memory_bytes, cell.cpu_mode, str(cell.threads))
    return cell.twin, cell.workload, *limits, cell.framework


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


def _plain(values: Iterable[object]) -> Iterator[object]:
    """Values as JSON has them, with the digits of the CSV."""
    for value in values:
        if isinstance(value, float):
            yield None if math.isnan(value) else float(FLOAT_FORMAT % value)
        else:
            yield None if value is pd.NA else value


def _inert(value: object) -> object:
    """Keep a spreadsheet from running text that a container wrote: reasons and versions are untrusted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
