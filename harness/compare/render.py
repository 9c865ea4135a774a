"""A comparison as a table for people and as Markdown for a comment on a change; names and reasons are untrusted."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from harness.compare.rows import Verdict
from harness.compare.words import (
    floor_line,
    machine_line,
    row_texts,
    run_line,
    summary,
    worst_first,
)
from harness.markdown import cut, escaped, table_lines
from harness.report.formats import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.compare.judge import Compared
    from harness.compare.rows import Row
    from harness.stats.noise import Aim

LEAST_NOTES: Final = 24
"""Characters that the last column keeps on a narrow terminal."""
DROPPED_FIRST: Final = ("latency", "memory", "start", "trials", "needs", "base", "95 %", "new")
"""Columns that a narrow terminal goes without, in this order; the others stay as far as they begin within the width."""


def as_lines(compared: Compared, width: int | None = None) -> Iterator[str]:
    """The table, the worst first; the most important line is the last.

    Args:
        compared: two runs.
        width: columns of the terminal; `None` for as many as it takes.
    """
    yield f"base  {run_line(compared.base)}"
    yield f"new   {run_line(compared.new)}"
    yield from (f"note: {visible(note)}" for note in compared.notes)
    yield ""
    rows = [row_texts(row, compared.aim) for row in worst_first(compared)]
    columns = fitting(rows, width)
    widths = {name: _widest(rows, name) for name in columns}
    for row in [{name: name for name in columns}, *rows]:
        line = "  ".join(row[name].ljust(widths[name]) for name in columns).rstrip()
        yield line if width is None or len(line) <= width else line[: width - 1] + "…"
    yield ""
    if dropped := [name for name in rows[0] if name not in columns]:
        yield f"left out for the width: {', '.join(dropped)}"
    yield machine_line(compared)
    yield floor_line(compared)
    yield summary(compared)


def fitting(rows: Sequence[dict[str, str]], width: int | None) -> list[str]:
    """The columns that fit into a width; the last may be cut."""
    columns = list(rows[0])
    for name in DROPPED_FIRST:
        notes = min(_widest(rows, columns[-1]), LEAST_NOTES)
        if width is None or sum(_widest(rows, each) + 2 for each in columns[:-1]) + notes <= width:
            break
        if name in columns:
            columns.remove(name)
    # Where even those that stay are too many, what would begin at the cut or beyond it is left out as well.
    starts = accumulate((_widest(rows, name) + 2 for name in columns[:-1]), initial=0)
    return [name for name, start in zip(columns, starts, strict=True) if width is None or start < width - 1]


def _widest(rows: Sequence[dict[str, str]], name: str) -> int:
    return max(len(name), *(len(row[name]) for row in rows))


def as_markdown(compared: Compared) -> str:
    """Counts first, then what is not the same; the rest is folded."""
    rows = worst_first(compared)
    told = [row for row in rows if row.verdict not in {Verdict.SAME, Verdict.SKIPPED}]
    quiet = [row for row in rows if row not in told]
    parts = [
        f"**{summary(compared)}**", "",
        f"Base {escaped(run_line(compared.base))}; new {escaped(run_line(compared.new))}.", "",
        *(f"> {escaped(note)}  " for note in compared.notes), "",
    ]  # fmt: skip
    if told:
        parts += [*markdown_table(told, compared.aim), ""]
    parts += [f"{escaped(machine_line(compared))}  ", escaped(floor_line(compared)), ""]
    if quiet:
        parts += [f"<details><summary>{len(quiet)} without a difference</summary>", ""]
        parts += [*markdown_table(quiet, compared.aim), "", "</details>", ""]
    return cut("\n".join(parts), "The table and the JSON document have every cell.")


def markdown_table(rows: Sequence[Row], aim: Aim) -> list[str]:
    """A table of rows."""
    texts = [row_texts(row, aim) for row in rows]
    return table_lines(list(texts[0]), [[escaped(text) for text in row.values()] for row in texts])
