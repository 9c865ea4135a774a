"""The pages beside those of a run's models: what is where, the chooser over all of it, and the table of all cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.all_cells import CellTable
from harness.report.formats import NAME_LIMIT, clip
from harness.report.html import CELLS, CHOOSER, PICTURES, choices_for_script, fill_page
from harness.report.proof import Tally, badge
from harness.report.provenance import host_facts, host_line, matrix_text, method, run_facts
from harness.report.reference import probed_cpus
from harness.report.view import total, unfinished, when
from harness.results import Status
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.answers import Headline, Leader
    from harness.report.chapters import Chapter, Summary
    from harness.report.proof import Badge
    from harness.report.provenance import Facts, Method
    from harness.report.reference import ProbedCpus
    from harness.results import ReferenceProbe
    from harness.runs import Run

CELLS_PAGE: Final = "cells.html"


@dataclass(frozen=True)
class Lead:
    """Who is ahead in one question, most often, and what else there is to say."""

    leaders: tuple[Leader, ...]
    """Several where each is it as often as the others."""
    text: str


@dataclass(frozen=True)
class Line:
    """One workload in the list of all."""

    page: str
    title: str
    leads: tuple[Lead, ...]


@dataclass(frozen=True)
class Overview:
    """The page that says what is where."""

    title: str
    matrix_name: str
    run_id: str
    when: str
    host_line: str
    unfinished: str
    alert: str
    """Where the twin differs from its original; else empty."""
    total: str
    counts: tuple[tuple[Status, int], ...]
    badge: Badge
    doubts: str
    """How many warnings cast doubt on a figure; empty where none does."""
    questions: tuple[str, ...]
    lines: tuple[Line, ...]
    pages: tuple[tuple[str, str, str], ...]
    """Of each model: its page, its name, and how many cells stand there."""
    probed: tuple[ProbedCpus, ...]
    host: Facts
    run: Facts
    method: Method
    matrix_text: str


def render_overview(
    run: Run, chapters: Sequence[Chapter], probes: Sequence[ReferenceProbe], *, cell_pages: bool
) -> str:
    """The first page of a run in chapters."""
    choices = tuple(subject for chapter in chapters for subject in chapter.subjects)
    return fill_page(
        "overview.html.j2",
        scripts=[CHOOSER, PICTURES],
        view=build_overview(run, chapters, probes),
        choices=choices_for_script(choices),
        cells_page=CELLS_PAGE,
        cell_pages=cell_pages,
    )


def render_cells(run: Run, chapters: Sequence[Chapter]) -> str:
    """The table of all cells of a run in chapters."""
    rows = tuple(row for chapter in chapters for row in chapter.rows)
    return fill_page(
        "cells_page.html.j2",
        scripts=[CELLS],
        run_id=clip(run.run_id, NAME_LIMIT),
        table=CellTable(rows),
    )


def build_overview(run: Run, chapters: Sequence[Chapter], probes: Sequence[ReferenceProbe]) -> Overview:
    """Sum up a run's chapters."""
    cells, controls = sum(each.cells for each in chapters), sum(each.controls for each in chapters)
    counts = sum((Counter(each.counts) for each in chapters), Counter[Status]())
    limits = Tally(*map(sum, zip(*(each.limits for each in chapters), strict=True)))
    doubts = sum(chapter.doubts for chapter in chapters)
    summaries = [(chapter, summary) for chapter in chapters for summary in chapter.summaries]
    return Overview(
        title=f"Which inference runtime for {counted(len(chapters), 'model')}?",
        matrix_name=clip(run.matrix_name, NAME_LIMIT),
        run_id=clip(run.run_id, NAME_LIMIT),
        when=when(run),
        host_line=host_line(run),
        unfinished=unfinished(run, cells + controls),
        alert=next((chapter.alert for chapter in chapters if chapter.alert), ""),
        total=total(cells, controls),
        counts=tuple((status, counts[status]) for status in Status if counts[status]),
        badge=badge(limits),
        doubts=counted(doubts, "warning") if doubts else "",
        questions=tuple(headline.question for headline in summaries[0][1].headlines) if summaries else (),
        lines=tuple(_line(chapter, summary) for chapter, summary in summaries),
        pages=tuple(
            (chapter.page, clip(chapter.model, NAME_LIMIT), counted(chapter.cells, "cell"))
            for chapter in chapters
        ),
        probed=probed_cpus(probes),
        host=host_facts(run),
        run=run_facts(run),
        method=method(run, run.models.values()),
        matrix_text=matrix_text(run),
    )


def _line(chapter: Chapter, summary: Summary) -> Line:
    return Line(chapter.page, summary.title, tuple(lead(headline) for headline in summary.headlines))


def lead(headline: Headline) -> Lead:
    """Who is ahead in one question."""
    if not headline.winners:
        return Lead((), headline.rest)
    _, most = headline.winners[0]
    leaders = tuple(leader for leader, places in headline.winners if places == most)
    return Lead(leaders, f"each {most}" if len(leaders) > 1 else most)
