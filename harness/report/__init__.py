"""The report of a run, rebuilt offline from what the run stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.errors import StoreError
from harness.report.article import write_article
from harness.report.cells import write_cell_pages
from harness.report.html import render
from harness.report.stored import read_cells, read_probes
from harness.report.table import results_csv
from harness.report.view import build_view
from harness.runs import Run
from harness.store import read_model, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from harness.report.view import View
    from harness.stats.cell import Measured

PAGE: Final = "index.html"
TABLE: Final = "results.csv"


def write_report(run_dir: Path) -> Path:
    """Write `results.csv`, `index.html` and a page for each cell beside the files they are made of.

    Reads `run.json` and the files of its cells and reference probes and nothing else, so that a report can be made
    again anywhere, to the byte; where a file is damaged, table and page stay as they were.

    Args:
        run_dir: `reports/<run-id>`.

    Returns:
        The page's path.

    Raises:
        StoreError: a stored file is missing or damaged, or the report cannot be written.
    """
    run = read_model(run_dir / "run.json", Run)
    measured = sorted(read_cells(run_dir, run), key=_row_order)
    probes = read_probes(run_dir)
    try:
        table, html = results_csv(measured), render(run, measured, probes)
        write_cell_pages(run_dir, run, measured)
    except (ValueError, ArithmeticError) as error:
        raise StoreError(
            f"no report can be made of {run_dir}: {error}", why="a file there is damaged"
        ) from error
    write_atomically(run_dir / TABLE, table)
    page = run_dir / PAGE
    write_atomically(page, html)
    write_article(run_dir, run, measured)
    return page


def read_view(run_dir: Path) -> View:
    """The page of a stored run as a value.

    Raises:
        StoreError: a stored file is missing or damaged.
    """
    run = read_model(run_dir / "run.json", Run)
    return build_view(run, sorted(read_cells(run_dir, run), key=_row_order), read_probes(run_dir))


def _row_order(measured: Measured) -> tuple[object, ...]:
    cell = measured.result.cell
    limits = (cell.cpus, cell.memory_bytes, cell.cpu_mode, str(cell.threads))
    return cell.twin, cell.workload, *limits, cell.framework
