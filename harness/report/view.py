"""The page as a value: everything that is printed, ready to print, and nothing that must still be computed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.all_cells import CellTable, cell_table
from harness.report.answers import Answer, Headline, answers, headlines
from harness.report.aspects import aspects
from harness.report.book import Book
from harness.report.chooser import Subject, subjects
from harness.report.controls import Control, controls
from harness.report.doubts import Warnings, warnings
from harness.report.failures import Failure, failures
from harness.report.formats import NAME_LIMIT, clip, listed, moment
from harness.report.grouping import Workload, workloads
from harness.report.heatmap import HeatMap, heat_map
from harness.report.host import Beside, Spoiled, beside, neighbours_line, spoiled, spoiled_line
from harness.report.noise import Noise, noise
from harness.report.proof import Badge, Proof, Tally, badge, proofs, tally
from harness.report.provenance import (
    Facts,
    ImageView,
    Method,
    ModelView,
    host_facts,
    host_line,
    images,
    in_sessions,
    matrix_text,
    method,
    models,
    run_facts,
)
from harness.report.reference import ProbedCpus, probed_cpus
from harness.report.sweeps import SweepStudy, sweeps
from harness.report.tradeoffs import tradeoffs, undrawn
from harness.report.what_changes import what_changes
from harness.results import Status
from harness.runs import RunState
from harness.units import counted, format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.aspects.common import Aspect
    from harness.report.tradeoffs.common import Study
    from harness.results import ReferenceProbe
    from harness.runs import Run
    from harness.stats.cell import Measured

MANY: int = 3
"""Models named in the title; more are counted."""


@dataclass(frozen=True)
class WorkloadView:
    """One model at one batch size."""

    anchor: str
    title: str
    headlines: tuple[Headline, ...]
    changes: str
    """What would change the answer."""
    answers: tuple[Answer, ...]
    heat_map: HeatMap
    aspects: tuple[Aspect, ...]
    tradeoffs: tuple[Study, ...]
    undrawn: str
    """Why its trade-offs are not drawn; empty where they are."""


@dataclass(frozen=True)
class Fitness:
    """Whether the host was fit to measure on."""

    probed: tuple[ProbedCpus, ...]
    beside: tuple[Beside, ...]
    spoiled: tuple[Spoiled, ...]
    spoiled_line: str
    neighbours_line: str
    controls: tuple[Control, ...]


@dataclass(frozen=True)
class View:
    """The whole page."""

    title: str
    matrix_name: str
    run_id: str
    when: str
    host_line: str
    overview: bool
    """It shows one model of a run, and links to the page of all."""
    cell_pages: bool
    """Each cell has a page of its own; if not, its file is its evidence."""
    unfinished: str
    absent: str
    """What stands in place of a cell that is not there."""
    article: bool
    """The article is replayed beside the cells, on a page of its own."""
    total: str
    counts: tuple[tuple[Status, int], ...]
    limits: Tally
    badge: Badge
    choices: tuple[Subject, ...]
    """What the chooser chooses from."""
    table: CellTable
    workloads: tuple[WorkloadView, ...]
    sweeps: tuple[SweepStudy, ...]
    failures: tuple[Failure, ...]
    proofs: tuple[Proof, ...]
    noise: Noise
    fitness: Fitness
    warnings: Warnings
    doubts: str
    """How many warnings cast doubt on a figure."""
    host: Facts
    run: Facts
    images: tuple[ImageView, ...]
    helpers: tuple[ImageView, ...]
    models: tuple[ModelView, ...]
    method: Method
    matrix_text: str
    cell_ids: tuple[str, ...]


def build_view(
    run: Run,
    measured: Sequence[Measured],
    probes: Sequence[ReferenceProbe] = (),
    *,
    overview: bool = False,
    cell_pages: bool = True,
) -> View:
    """Compute the page of a run.

    Args:
        run: the run.
        measured: its cells or, with an overview beside the page, those of one model.
        probes: its reference probes.
        overview: another page shows the whole run.
        cell_pages: each cell has a page of its own.
    """
    found = workloads(run, measured)
    book = Book.of(run, measured)
    told = warnings(measured)
    built, limits = images(book, found), tally(found)
    here = {workload.model for workload in found}
    shown = {name: model for name, model in run.models.items() if name in here or not overview}
    counts = Counter(each.result.status for each in measured)
    return View(
        title=f"Which inference runtime for {_models_in_words(found)}?",
        matrix_name=clip(run.matrix_name, NAME_LIMIT),
        run_id=clip(run.run_id, NAME_LIMIT),
        when=when(run),
        host_line=host_line(run),
        overview=overview,
        cell_pages=cell_pages,
        unfinished="" if overview else unfinished(run, len(measured)),
        absent="not in the matrix"
        if run.state is RunState.COMPLETE
        else "not measured yet, or not in the matrix",
        article=run.protocol.article and not overview,
        total=total(len(measured) - len(book.controls), len(book.controls)),
        counts=tuple((status, counts[status]) for status in Status if counts[status]),
        limits=limits,
        badge=badge(limits),
        choices=subjects(book, found),
        table=cell_table(book, found),
        workloads=tuple(_workload(book, workload, index) for index, workload in enumerate(found, start=1)),
        sweeps=sweeps(book, found),
        failures=failures(book, found),
        proofs=proofs(found),
        noise=noise(book, of_run=not overview),
        fitness=_fitness(book, measured, probes),
        warnings=told,
        doubts=counted(told.count, "warning"),
        host=host_facts(run),
        run=run_facts(run),
        images=tuple(image for image in built if image.slot is not None),
        helpers=tuple(image for image in built if image.slot is None),
        models=models(shown, found),
        method=method(run, shown.values()),
        matrix_text=matrix_text(run),
        cell_ids=tuple(each.result.cell_id for workload in found for each in workload.cells)
        + tuple(each.result.cell_id for each in book.controls),
    )


def when(run: Run) -> str:
    """When a run began and how long it measured, in words."""
    quick = ", a quick look" if run.quick else ""
    return f"{moment(run.started_at)}, {format_duration(run.run_s)} of measuring{in_sessions(run)}{quick}"


def total(cells: int, controls: int) -> str:
    """How many cells there are."""
    return counted(cells, "cell") + (f" and {counted(controls, 'control')}" if controls else "")


def _fitness(book: Book, measured: Sequence[Measured], probes: Sequence[ReferenceProbe]) -> Fitness:
    return Fitness(
        probed=probed_cpus(probes),
        beside=beside(measured),
        spoiled=spoiled(measured),
        spoiled_line=spoiled_line(measured),
        neighbours_line=neighbours_line(measured),
        controls=controls(book),
    )


def _workload(book: Book, workload: Workload, index: int) -> WorkloadView:
    given = answers(book, workload)
    return WorkloadView(
        anchor=f"w{index}",
        title=workload.title,
        headlines=headlines(given),
        changes=what_changes(book, workload),
        answers=given,
        heat_map=heat_map(book, workload),
        aspects=aspects(book, workload),
        tradeoffs=tradeoffs(book, workload),
        undrawn=undrawn(workload),
    )


def unfinished(run: Run, cells: int) -> str:
    """What is missing of a run that is not complete, in a sentence."""
    if run.state is RunState.COMPLETE:
        return ""
    missing = len(run.cells) - cells
    return f"This run is {run.state}: " + (
        f"of its {counted(len(run.cells), 'cell')}, {missing} {'is' if missing == 1 else 'are'} missing here."
        if missing
        else "some cells may be without a part of their trials."
    )


def _models_in_words(found: Sequence[Workload]) -> str:
    names = [clip(name, NAME_LIMIT) for name in dict.fromkeys(workload.model for workload in found)]
    if len(names) > MANY:
        return f"{len(names)} models"
    return listed(names) or "nothing yet"
