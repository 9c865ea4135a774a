"""A comparison as a table for people, as Markdown for a pull request, and as one JSON document."""

from __future__ import annotations

import html
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from harness.compare.rows import Verdict
from harness.report.formats import duration, mebibytes, visible
from harness.stats.intervals import Estimate, value_of
from harness.stats.noise import Aim, by_round

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.compare.judge import Compared
    from harness.compare.rows import Row
    from harness.stats.cell import Measured

DOCUMENT_VERSION: Final = 1
UNKNOWN: Final = "-"
MARKDOWN_LIMIT: Final = 60_000
"""Characters: a comment takes 65,536."""


def as_lines(compared: Compared) -> Iterator[str]:
    """The table, the worst first; the most important line is the last."""
    yield f"base  {compared.base.run_id}  {compared.base.started_at:%Y-%m-%d %H:%M}"
    yield f"new   {compared.new.run_id}  {compared.new.started_at:%Y-%m-%d %H:%M}"
    yield from (f"note: {visible(note)}" for note in compared.notes)
    yield ""
    rows = [HEAD, *(cells(row, compared.aim) for row in worst_first(compared))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield floor_line(compared)
    yield summary(compared)


def as_markdown(compared: Compared) -> str:
    """Counts first, then what is not the same; the rest is folded."""
    rows = worst_first(compared)
    told = [row for row in rows if row.verdict not in {Verdict.SAME, Verdict.SKIPPED}]
    quiet = [row for row in rows if row not in told]
    parts = [f"**{summary(compared)}**", "", *(f"> {escaped(note)}" for note in compared.notes), ""]
    if told:
        parts += markdown_table(told, compared.aim)
    if quiet:
        parts += ["", f"<details><summary>{len(quiet)} cells without a difference</summary>", ""]
        parts += [*markdown_table(quiet, compared.aim), "", "</details>"]
    parts += ["", f"{floor_line(compared)}. Base `{compared.base.run_id}`, new `{compared.new.run_id}`.", ""]
    text = "\n".join(parts)
    return text if len(text) <= MARKDOWN_LIMIT else text[:MARKDOWN_LIMIT].rpartition("\n")[0] + "\n\n(cut)\n"


def as_document(compared: Compared) -> dict[str, Any]:
    """Everything, for programs; what is unknown is null."""
    return {
        "version": DOCUMENT_VERSION,
        "base": compared.base.run_id,
        "new": compared.new.run_id,
        "figure": compared.aim.value,
        "threshold": compared.threshold,
        "aa_floors": [as_part(found) for found in compared.aa_floors],
        "notes": list(compared.notes),
        "regressed": compared.regressed,
        "counts": dict(Counter(row.verdict.value for row in compared.rows)),
        "cells": [row_document(row, compared.aim) for row in compared.rows],
    }


HEAD: Final = ("verdict", "cell", "base", "new", "new/base", "95 %", "needs", "trials", "doubts")


def cells(row: Row, aim: Aim) -> tuple[str, ...]:
    """A row's texts, in the order of `HEAD`."""
    difference = row.difference
    bounds = difference.interval() if difference is not None else None
    trials = "/".join(str(side.stats.ok_trials) if side else UNKNOWN for side in (row.base, row.new))
    return (
        row.verdict.value.replace("_", " "),
        row.cell_id,
        side_text(row.base, aim),
        side_text(row.new, aim),
        UNKNOWN if difference is None else f"{difference.ratio:.3f}",
        UNKNOWN if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}",
        UNKNOWN if row.floor is None else f"{as_part(row.floor):.1%}",
        trials,
        ", ".join(row.warnings) or UNKNOWN,
    )


def side_text(side: Measured | None, aim: Aim) -> str:
    """A cell's figure, or how it ended."""
    if side is None:
        return UNKNOWN
    if not side.ok:
        phase = f" in {side.result.phase}" if side.result.phase else ""
        return f"{side.result.status}{phase}"
    found = value_of(estimate(side, aim))
    if found is None:
        return UNKNOWN
    return f"{mebibytes(found)} MiB" if aim is Aim.MEMORY else duration(found)


def estimate(side: Measured, aim: Aim) -> Estimate | None:
    """A cell's figure with its interval."""
    match aim:
        case Aim.LATENCY:
            return side.stats.p50_ms
        case Aim.MEMORY:
            return side.stats.rss_peak_bytes
        case Aim.START:
            return side.stats.cold_start_ms


def worst_first(compared: Compared) -> list[Row]:
    """The rows by verdict, and within one by the size of the difference."""
    order = list(Verdict)

    def size(row: Row) -> float:
        return -row.difference.log_ratio if row.difference is not None else 0.0

    return sorted(compared.rows, key=lambda row: (order.index(row.verdict), size(row)))


def summary(compared: Compared) -> str:
    """`10 cells: 1 worse, 9 same`."""
    counts = Counter(row.verdict for row in compared.rows)
    words = ", ".join(
        f"{counts[verdict]} {verdict.value.replace('_', ' ')}" for verdict in Verdict if counts[verdict]
    )
    return f"{len(compared.rows)} {'cell' if len(compared.rows) == 1 else 'cells'} by {compared.aim}: {words}"


def floor_line(compared: Compared) -> str:
    """What counts as a difference."""
    base, new = (f"{as_part(found):.1%}" for found in compared.aa_floors)
    return (
        f"needs: the larger of {compared.threshold:.1%} and the A/A floor of cells of its kind (of all cells {base} in "
        f"base, {new} in new), plus what the reference probe moved between the runs; and significance after Holm's "
        "correction"
    )


def as_part(log_ratio: float) -> float:
    """A logarithm as a part, such as 0.05."""
    return math.expm1(log_ratio)


def markdown_table(rows: list[Row], aim: Aim) -> list[str]:
    """A table of rows."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    return lines + ["| " + " | ".join(escaped(text) for text in cells(row, aim)) + " |" for row in rows]


def escaped(text: str) -> str:
    """Untrusted text that stays text in Markdown and in the HTML within it."""
    safe = html.escape(visible(" ".join(text.split())))
    return "".join(f"\\{char}" if char in "|`*_[]\\#!~@" else char for char in safe)


def row_document(row: Row, aim: Aim) -> dict[str, Any]:
    """A row with all numbers."""
    difference = row.difference
    low, high = difference.interval() if difference is not None else (None, None)
    return {
        "cell_id": row.cell_id,
        "verdict": row.verdict.value,
        "ratio": None if difference is None else difference.ratio,
        "ratio_low": low,
        "ratio_high": high,
        "p_value": None if difference is None else difference.p_value,
        "adjusted_p": row.adjusted_p,
        "floor": None if row.floor is None else as_part(row.floor),
        "warnings": list(row.warnings),
        "base": side_document(row.base, aim),
        "new": side_document(row.new, aim),
    }


def side_document(side: Measured | None, aim: Aim) -> dict[str, Any] | None:
    """One run's part of a row."""
    if side is None:
        return None
    found = estimate(side, aim)
    return {
        "status": side.result.status.value,
        "phase": side.result.phase.value if side.result.phase else None,
        "reason": side.result.reason,
        "value": value_of(found),
        "low": found.low if found else None,
        "high": found.high if found else None,
        "trials": list(by_round(side.stats, aim).values()),
    }
