"""The evidence of each cell, on a page of its own beside its file: with many cells the run's page must not carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import StoreError
from harness.report.aspects.memory import HEADLINE
from harness.report.cells.figures import figures
from harness.report.cells.repeat import Repeat, repeat
from harness.report.cells.trials import FIGURES, LIMITS, PHASES, TrialView, trial_views
from harness.report.endings import WORDS, Ending, ending
from harness.report.flags import flags
from harness.report.formats import NAME_LIMIT, clip
from harness.report.grouping import limit_of, workload_title
from harness.report.html import fill_page
from harness.report.ledger import LedgerEntry, ledger
from harness.store import TEMPORARY_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.report.provenance import Facts
    from harness.results import Cell
    from harness.runs import Run
    from harness.stats.cell import Measured


@dataclass(frozen=True)
class CellView:
    """Everything on a cell's page."""

    cell_id: str
    run_id: str
    title: str
    limit: str
    ending: Ending
    expected: str
    """What the matrix expects of it, where that is no result."""
    flags: tuple[str, ...]
    figures: Facts
    repeat: Repeat
    trials: tuple[TrialView, ...]
    ledger: LedgerEntry | None


def write_cell_pages(
    run_dir: Path, run: Run, measured: Sequence[Measured], *, home: str = "index.html"
) -> None:
    """Write `cells/<cell-id>.html` for every cell.

    Args:
        run_dir: `reports/<run-id>`.
        run: its record.
        measured: the cells.
        home: the page of the run on which they stand.

    Raises:
        StoreError: a page cannot be written.
        ValueError: stored figures cannot be.
    """
    cells = [each.result.cell for each in measured]
    for each in measured:
        _write(run_dir / "cells" / f"{each.result.cell_id}.html", cell_page(run, each, cells, home))


def cell_page(run: Run, measured: Measured, cells: Sequence[Cell], home: str) -> str:
    """A cell's page: one self-contained HTML document.

    Args:
        run: the run.
        measured: the cell.
        cells: those that are reported with it.
        home: the page of the run on which it stands.
    """
    return fill_page(
        "cell.html.j2",
        home=home,
        view=_view(run, measured, cells),
        headline=HEADLINE,
        figure_heads=FIGURES,
        limit_heads=LIMITS,
        phase_heads=PHASES,
    )


def _view(run: Run, measured: Measured, cells: Sequence[Cell]) -> CellView:
    result = measured.result
    expected = result.expected
    model = run.models.get(result.cell.model)
    return CellView(
        cell_id=result.cell_id,
        run_id=clip(run.run_id, NAME_LIMIT),
        title=f"{clip(result.cell.framework, NAME_LIMIT)} on {workload_title(result.cell.workload)}",
        limit=limit_of(measured).title,
        ending=ending(result),
        expected=f"{WORDS[expected.status]}: {clip(expected.reason)}" if expected else "",
        flags=flags(measured) if measured.ok else (),
        figures=figures(measured.stats),
        repeat=repeat(run, measured, cells),
        trials=trial_views(measured),
        ledger=ledger(measured, model.parameters if model else None),
    )


def _write(path: Path, html: str) -> None:
    """Replace a page; not flushed to the disk as stored files are, for it is made again from them."""
    part = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} could not be written: {error.strerror}",
            fix="check free space and permissions, then make the report again: edgematrix report",
        ) from error
