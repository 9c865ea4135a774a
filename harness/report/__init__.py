"""The report of a run, rebuilt offline from what the run stored."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import pandas as pd

from harness.errors import StoreError
from harness.events import unheard
from harness.report.article import render_article
from harness.report.cells import write_cell_pages
from harness.report.chapters import ONE_PAGE, make_chapters
from harness.report.html import render
from harness.report.overview import CELLS_PAGE, render_cells, render_overview
from harness.report.stored import cells_by_model, read_cells, read_probes
from harness.report.table import in_order, results_csv, results_frame, results_json, write_parquet
from harness.report.view import build_view
from harness.runs import Run
from harness.store import REPAIR, read_model, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.events import Listener
    from harness.report.view import View

PAGE: Final = "index.html"
TABLE: Final = "results.csv"
DATA: Final = "results.json"
PARQUET: Final = "results.parquet"

Made = tuple[pd.DataFrame, dict[str, str]]
"""The rows of the table, and the pages by file name."""


def write_report(
    run_dir: Path, *, parquet: bool = False, cell_pages: bool = False, listener: Listener = unheard
) -> Path:
    """Write the tables and the pages of a run, and a page for each cell, beside the files that they are made of.

    Reads `run.json` and the files of its cells and reference probes and nothing else, so that a report can be made
    again anywhere, to the byte; where a file is damaged, tables and pages stay as they were. A run of more than
    `ONE_PAGE` cells has a page for each of its models, one of all its cells in a table, and `index.html` says what is
    where; it has pages of single cells where they are asked for.

    Args:
        run_dir: `reports/<run-id>`.
        parquet: write `results.parquet` as well.
        cell_pages: write a page for each cell whatever their number.
        listener: is told how far it is, where it takes long.

    Returns:
        The path of `index.html`.

    Raises:
        StoreError: a stored file is missing or damaged, or the report cannot be written.
    """
    run = read_model(run_dir / "run.json", Run)
    many = len(run.cells) > ONE_PAGE and not run.protocol.article
    with _refusing_damage(run_dir):
        frame, pages = (
            _in_chapters(run_dir, run, cell_pages=cell_pages, listener=listener)
            if many
            else _on_one_page(run_dir, run, listener)
        )
        texts = {TABLE: results_csv(frame), DATA: results_json(run.run_id, frame), **pages}
    if parquet:
        write_parquet(run_dir / PARQUET, frame)
    for name, text in texts.items():
        write_atomically(run_dir / name, text)
    return run_dir / PAGE


def read_view(run_dir: Path, listener: Listener = unheard) -> View:
    """The page of a stored run as a value.

    Raises:
        StoreError: a stored file is missing or damaged.
    """
    run = read_model(run_dir / "run.json", Run)
    with _refusing_damage(run_dir):
        return build_view(run, in_order(read_cells(run_dir, run, listener=listener)), read_probes(run_dir))


@contextlib.contextmanager
def _refusing_damage(run_dir: Path) -> Iterator[None]:
    """Tell what cannot be made of stored figures, each of which may be, as a damaged run.

    Raises:
        StoreError: a report cannot be made of them.
    """
    try:
        yield
    except (ValueError, ArithmeticError) as error:
        raise StoreError(
            f"no report can be made of {run_dir}: {error}", why="a file there is damaged", fix=REPAIR
        ) from error


def _on_one_page(run_dir: Path, run: Run, listener: Listener) -> Made:
    measured = in_order(read_cells(run_dir, run, listener=listener))
    pages = {PAGE: render(run, measured, read_probes(run_dir))}
    write_cell_pages(run_dir, run, measured)
    return results_frame(measured), pages | render_article(run_dir, run, measured)


def _in_chapters(run_dir: Path, run: Run, *, cell_pages: bool, listener: Listener) -> Made:
    models = cells_by_model(run_dir, run, listener)
    if not models:
        return _on_one_page(run_dir, run, listener)
    chapters = make_chapters(run_dir, run, models, cell_pages=cell_pages, listener=listener)
    pages = {
        **{chapter.page: chapter.html for chapter in chapters},
        CELLS_PAGE: render_cells(run, chapters),
        PAGE: render_overview(run, chapters, read_probes(run_dir), cell_pages=cell_pages),
    }
    frame = pd.concat([chapter.frame for chapter in chapters], ignore_index=True)
    # Each chapter has its twins last, and so has the whole.
    return frame.sort_values(
        "control", key=lambda roles: roles.eq("twin").fillna(value=False), kind="stable"
    ), pages
