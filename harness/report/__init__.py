"""The report of a run, rebuilt offline from what the run stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.html import render_measured
from harness.report.table import results_csv
from harness.results import CellResult, Run
from harness.stats import measure
from harness.store import read_model, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = "index.html"
TABLE: Final = "results.csv"


def write_report(run_dir: Path) -> Path:
    """Write `results.csv` and `index.html` beside the files they are made of.

    Reads `run.json` and `cells/*.json` and nothing else, so that a report can be made again anywhere, to the
    byte.

    Args:
        run_dir: `reports/<run-id>`.

    Returns:
        The page's path.

    Raises:
        StoreError: a stored file is missing or damaged, or the report cannot be written.
    """
    run = read_model(run_dir / "run.json", Run)
    cells = [read_model(path, CellResult) for path in sorted((run_dir / "cells").glob("*.json"))]
    measured = measure(sorted(cells, key=_row_order))
    write_atomically(run_dir / TABLE, results_csv(measured))
    page = run_dir / PAGE
    write_atomically(page, render_measured(run, measured))
    return page


def _row_order(result: CellResult) -> tuple[str, int, float, int, str]:
    cell = result.cell
    return cell.model, cell.batch, cell.cpus, cell.memory_bytes, cell.framework
