"""A run that is too large for one page: a page for each model, made in a process of its own, and what they sum up to.

One process would hold all latencies of the run in memory and use one core; a chapter gives back only what is printed.
"""

from __future__ import annotations

import gc
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from harness.errors import StoreError
from harness.events import Step, unheard
from harness.report.book import is_control
from harness.report.cells import write_cell_pages
from harness.report.html import render_view
from harness.report.stored import read_cells
from harness.report.table import in_order, results_frame
from harness.report.view import build_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from harness.events import Listener
    from harness.report.all_cells import Row
    from harness.report.answers import Headline
    from harness.report.chooser import Subject
    from harness.report.proof import Tally
    from harness.results import Status
    from harness.runs import Run

ONE_PAGE: Final = 500
"""Cells that one page holds; browsers take seconds to open a larger one."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One workload of a chapter, in a line."""

    title: str
    headlines: tuple[Headline, ...]


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """All that a run's other pages say of one model, and its own page."""

    page: str
    """The page's file name."""
    html: str
    model: str
    cells: int
    controls: int
    counts: Mapping[Status, int]
    limits: Tally
    doubts: int
    alert: str
    """Where its twin differs from its original; else empty."""
    summaries: tuple[Summary, ...]
    subjects: tuple[Subject, ...]
    rows: tuple[Row, ...]
    frame: pd.DataFrame


Owned = tuple[int, str, tuple[str, ...]]
"""A model's number, its name, and the ids of its cells."""


def make_chapters(
    run_dir: Path,
    run: Run,
    models: Mapping[str, tuple[str, ...]],
    *,
    cell_pages: bool,
    listener: Listener = unheard,
) -> tuple[Chapter, ...]:
    """Make the chapters of a run on all cores of this machine.

    Args:
        run_dir: `reports/<run-id>`.
        run: its record.
        models: the ids of each model's cells, in the order of the chapters.
        cell_pages: write a page for each cell as well.
        listener: is told how many cells are done, as each chapter comes back.

    Raises:
        StoreError: a stored file is damaged, or a process did not survive.
    """
    owned = [(number, name, ids) for number, (name, ids) in enumerate(models.items(), start=1)]
    # A forked child would inherit the locks of this process's threads. Nothing that a chapter is made of can go before
    # its end, so looking for garbage meanwhile finds none, and takes a fifth of the time.
    pool = ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=gc.disable)
    try:
        with pool:
            made = pool.map(partial(make_chapter, run_dir, run, cell_pages=cell_pages), owned)
            return tuple(tell_chapters(made, owned, run, listener))
    except BrokenProcessPool as error:
        raise StoreError(
            f"no report can be made of {run_dir}: a process that made a part of it was ended",
            why="there may be too little memory",
            fix="make the report again, with more memory or on another machine",
        ) from error


def tell_chapters(
    made: Iterator[Chapter], owned: Sequence[Owned], run: Run, listener: Listener
) -> Iterator[Chapter]:
    """Hand on chapters as they come, and say before each how many cells the ones before it had."""
    done, total = 0, sum(len(ids) for _, _, ids in owned)
    for _, name, ids in owned:
        text = f"making the pages of {total} cells, {done} done, now {name}"
        listener(Step(subject=f"run {run.run_id}", text=text, done=done / total))
        yield next(made)
        done += len(ids)


def make_chapter(run_dir: Path, run: Run, owned: Owned, *, cell_pages: bool) -> Chapter:
    """Make one model's chapter, and write the pages of its cells where they are asked for."""
    number, model, ids = owned
    measured = in_order(read_cells(run_dir, run, ids))
    view = build_view(run, measured, overview=True, cell_pages=cell_pages)
    controls = sum(map(is_control, measured))
    page = f"model-{number}.html"
    if cell_pages:
        write_cell_pages(run_dir, run, measured, home=page)
    return Chapter(
        page=page,
        html=render_view(view),
        model=model,
        cells=len(measured) - controls,
        controls=controls,
        counts=dict(view.counts),
        limits=view.limits,
        doubts=view.warnings.count,
        alert=view.noise.alert,
        summaries=tuple(Summary(title=each.title, headlines=each.headlines) for each in view.workloads),
        subjects=view.choices,
        rows=tuple(replace(row, page=page) for row in view.table.rows),
        frame=results_frame(measured),
    )
