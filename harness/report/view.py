"""The page as a value: everything that is printed, ready to print, and nothing that must still be computed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.catalog import SUPPORT_IMAGES
from harness.report.answers import Answer, Headline, answers, headlines
from harness.report.aspects import aspects
from harness.report.aspects.common import Aspect, Book
from harness.report.failures import Failure, failures
from harness.report.formats import NAME_LIMIT, clip, counted, listed, moment
from harness.report.grouping import Workload, workloads
from harness.report.heatmap import HeatMap, heat_map
from harness.report.palette import slots
from harness.report.proof import Badge, CellWarning, Proof, badge, proofs, warnings
from harness.report.provenance import (
    Facts,
    ImageView,
    Method,
    ModelView,
    host_facts,
    host_line,
    images,
    matrix_text,
    method,
    models,
    run_facts,
)
from harness.results import RunState, Status
from harness.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results import Run
    from harness.stats import Measured

MANY: int = 3
"""Models named in the title; more are counted."""


@dataclass(frozen=True)
class WorkloadView:
    """One model at one batch size."""

    anchor: str
    title: str
    headlines: tuple[Headline, ...]
    answers: tuple[Answer, ...]
    heat_map: HeatMap
    aspects: tuple[Aspect, ...]


@dataclass(frozen=True)
class View:
    """The whole page."""

    title: str
    matrix_name: str
    run_id: str
    when: str
    host_line: str
    unfinished: str
    total: str
    counts: tuple[tuple[Status, int], ...]
    badge: Badge
    workloads: tuple[WorkloadView, ...]
    failures: tuple[Failure, ...]
    proofs: tuple[Proof, ...]
    throttled: bool
    """Whether any proof tells of throttling."""
    warnings: tuple[CellWarning, ...]
    doubts: str
    """How many warnings there are."""
    host: Facts
    run: Facts
    images: tuple[ImageView, ...]
    helpers: tuple[ImageView, ...]
    models: tuple[ModelView, ...]
    method: Method
    matrix_text: str
    cell_ids: tuple[str, ...]


def build_view(run: Run, measured: Sequence[Measured]) -> View:
    """Compute the page of a run."""
    found = workloads(run, measured)
    named = [name for name in run.images if name not in SUPPORT_IMAGES]
    book = Book(run, slots([*named, *(each.result.cell.framework for each in measured)]))
    doubts, shown = warnings(found), proofs(found)
    built = images(book, found)
    counts = Counter(each.result.status for each in measured)
    return View(
        title=f"Which inference runtime for {_models_in_words(found)}?",
        matrix_name=clip(run.matrix_name, NAME_LIMIT),
        run_id=clip(run.run_id, NAME_LIMIT),
        when=f"{moment(run.started_at)}, {format_duration(run.run_s)} of measuring",
        host_line=host_line(run),
        unfinished=_unfinished(run, len(measured)),
        total=counted(len(measured), "cell"),
        counts=tuple((status, counts[status]) for status in Status if counts[status]),
        badge=badge(found),
        workloads=tuple(_workload(book, workload, index) for index, workload in enumerate(found, start=1)),
        failures=failures(book, found),
        proofs=shown,
        throttled=any(proof.throttled for proof in shown),
        warnings=doubts,
        doubts=counted(len(doubts), "warning"),
        host=host_facts(run),
        run=run_facts(run),
        images=tuple(image for image in built if image.name not in SUPPORT_IMAGES),
        helpers=tuple(image for image in built if image.name in SUPPORT_IMAGES),
        models=models(run, found),
        method=method(run),
        matrix_text=matrix_text(run),
        cell_ids=tuple(each.result.cell_id for workload in found for each in workload.cells),
    )


def _workload(book: Book, workload: Workload, index: int) -> WorkloadView:
    given = answers(book, workload)
    return WorkloadView(
        anchor=f"w{index}",
        title=f"{clip(workload.model, NAME_LIMIT)}, batch {workload.batch}",
        headlines=headlines(given),
        answers=given,
        heat_map=heat_map(book, workload),
        aspects=aspects(book, workload),
    )


def _unfinished(run: Run, cells: int) -> str:
    if run.state is RunState.COMPLETE:
        return ""
    missing = len(run.cells) - cells
    return f"This run is {run.state}: " + (
        f"{missing} of its {counted(len(run.cells), 'cell')} are missing here."
        if missing
        else "some cells may be without a part of their trials."
    )


def _models_in_words(found: Sequence[Workload]) -> str:
    names = [clip(name, NAME_LIMIT) for name in dict.fromkeys(workload.model for workload in found)]
    if len(names) > MANY:
        return f"{len(names)} models"
    return listed(names) or "nothing yet"
