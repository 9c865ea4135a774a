"""A run in a few words: for an index of runs and, as Markdown, for a step summary or a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.markdown import cut, escaped, table_lines
from harness.report.endings import WORDS
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.report.answers import Headline
    from harness.report.heatmap import HeatCell, HeatMap
    from harness.report.view import View
    from harness.results import Status

MOST_NAMED: Final = 3
"""Frameworks, or models, that stand in a line."""
MARKS: Final = {"proved": "✓", "broken": "!", "idle": "○"}
"""Of the badge on the limits: the page draws the same."""


def lead_text(headline: Headline) -> str:
    """Who is first: `onnxruntime at 3 of 4 limits, jax tied at 1 of 4 limits`."""
    told = [f"{leader.framework} {places}" for leader, places in headline.winners[:MOST_NAMED]]
    if more := len(headline.winners) - len(told):
        told.append(f"and {more} more")
    return ", ".join(filter(None, [*told, headline.rest])) or "no cell is ok"


def counts_text(counts: Mapping[Status, int]) -> str:
    """`19 ok, 1 out of memory`."""
    return ", ".join(f"{count} {WORDS[status]}" for status, count in counts.items()) or "none yet"


def as_markdown(view: View) -> str:
    """The verdict, the map, and the failures with their reasons; at the end where the rest is.

    No path: who reads a summary or a comment is seldom on the machine that wrote it.
    """
    report = f"the report of run {escaped(view.run_id)}"
    parts = [
        f"### {escaped(view.title)}", "",
        *(
            f"- **{escaped(headline.question)}, {escaped(work.title)}**: {escaped(lead_text(headline))}"
            for work in view.workloads
            for headline in work.headlines
        ), "",
        f"{view.total}: {counts_text(dict(view.counts))}  ",
        f"{MARKS[view.badge.kind]} {view.badge.text} · {view.doubts}  ",
        f"Run {escaped(view.run_id)} of {escaped(view.matrix_name)}, {view.when}  ",
        escaped(view.host_line), "",
        *(f"> {escaped(alert)}\n" for alert in (view.unfinished, view.noise.alert) if alert),
    ]  # fmt: skip
    for work in view.workloads:
        parts += [f"#### {escaped(work.title)}", "", *_map_lines(work.heat_map, view.absent), ""]
    parts += _failure_lines(view)
    parts += [f"All answers, charts, evidence and provenance: {report}.", ""]
    return cut("\n".join(parts), f"All of it is in {report}.")


def _map_lines(heat_map: HeatMap, absent: str) -> Iterator[str]:
    """Median latency by framework and limit, or how the cell ended."""
    head = ["framework", *(escaped(column.title) for column in heat_map.columns)]
    rows = [
        [escaped(row.framework), *(_map_cell(cell) if cell else absent for cell in row.cells)]
        for row in heat_map.rows
    ]
    yield f"Median latency in {heat_map.unit}, and how many times the fastest under the same limit."
    yield ""
    yield from table_lines(head, rows)


def _map_cell(cell: HeatCell) -> str:
    if cell.ending.kind != "ok":
        return f"**{escaped(cell.ending.word)}**"
    doubts = ", ".join(filter(None, (*cell.flags, cell.warnings)))
    return f"{cell.text} ({cell.ratio})" + (f" {escaped(doubts)}" if doubts else "")


def _failure_lines(view: View) -> Iterator[str]:
    if view.failures:
        yield f"#### {counted(len(view.failures), 'cell')} without a figure"
        yield ""
        rows = [[escaped(each.cell_id), escaped(each.ending.sentence)] for each in view.failures]
        yield from table_lines(["cell", "how it ended"], rows)
        yield ""
