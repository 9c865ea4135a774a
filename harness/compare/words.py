"""What both the table and the Markdown say of a comparison, as plain texts that are not yet escaped."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from harness.compare.judge import LEAST_PAIRS
from harness.compare.machine import by_cpus, cpus_text
from harness.compare.rows import Verdict, has_figures
from harness.report.formats import clip, figure_text, visible
from harness.stats.intervals import value_of
from harness.stats.noise import Aim, estimate
from harness.units import in_percent

if TYPE_CHECKING:
    from harness.compare.judge import Compared
    from harness.compare.machine import Shift
    from harness.compare.rows import Figure, Row
    from harness.runs import Run
    from harness.stats.cell import Measured

UNKNOWN: Final = "-"
REASON_LIMIT: Final = 100


def run_line(run: Run) -> str:
    """A run's name and when it began."""
    return f"{visible(run.run_id)}  {run.started_at:%Y-%m-%d %H:%M}"


def row_texts(row: Row, aim: Aim) -> dict[str, str]:
    """A row's texts by column: the judged figure, the verdicts on the others, and what is to be said."""
    figure = row.figures.get(aim)
    difference = figure.difference if figure else None
    bounds = difference.interval() if difference else None
    floor = figure.floor if figure else None
    trials = "/".join(str(side.stats.ok_trials) if side else UNKNOWN for side in (row.base, row.new))
    return {
        "verdict": words(row.verdict),
        "cell": visible(row.cell_id),
        "base": side_text(row.base, aim),
        "new": side_text(row.new, aim),
        "new/base": UNKNOWN if difference is None else f"{difference.ratio:.3f}",
        "95 %": UNKNOWN if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}",
        "needs": UNKNOWN if floor is None else in_percent(as_part(floor), 1),
        "trials": trials,
        **{other.value: other_text(row.figures.get(other)) for other in Aim if other is not aim},
        "notes": notes_text(row, aim) or UNKNOWN,
    }


def words(verdict: Verdict) -> str:
    """A verdict for people."""
    return verdict.value.replace("_", " ")


def notes_text(row: Row, aim: Aim) -> str:
    """Why there is no figure, or what could hide a difference, and the kinds of the doubts.

    Of a figure that is undecided for another reason its columns say it.
    """
    judged = row.figures.get(aim)
    lacking = any(figure.difference is None for figure in row.figures.values())
    told = judged is None or judged.hidden or lacking
    reason = clip(visible(row.reason), REASON_LIMIT) if told else ""
    return "; ".join(filter(None, (reason, visible(", ".join(row.warnings)))))


def other_text(figure: Figure | None) -> str:
    """The verdict on a figure that is not judged, with its ratio."""
    if figure is None:
        return UNKNOWN
    return words(figure.verdict) + (f" {figure.difference.ratio:.3f}" if figure.difference else "")


def side_text(side: Measured | None, aim: Aim) -> str:
    """A cell's figure, or how it ended."""
    if side is None:
        return UNKNOWN
    found = value_of(estimate(side.stats, aim))
    if not has_figures(side):
        phase = f" in {side.result.phase}" if side.result.phase else ""
        return f"{side.result.status}{phase}"
    if found is None:
        return UNKNOWN
    return figure_text(found, aim)


def worst_first(compared: Compared) -> list[Row]:
    """The rows by verdict, and within one by the size of the difference."""
    order = list(Verdict)

    def size(row: Row) -> float:
        figure = row.figures.get(compared.aim)
        return -figure.difference.log_ratio if figure is not None and figure.difference is not None else 0.0

    return sorted(compared.rows, key=lambda row: (order.index(row.verdict), size(row)))


def summary(compared: Compared) -> str:
    """`10 cells by latency: 1 worse, 9 same`."""
    cells = f"{len(compared.rows)} {'cell' if len(compared.rows) == 1 else 'cells'}"
    return f"{cells} by {compared.aim}: {verdict_counts(compared)}"


def verdict_counts(compared: Compared) -> str:
    """`1 worse, 9 same`."""
    counts = Counter(row.verdict for row in compared.rows)
    return ", ".join(f"{counts[verdict]} {words(verdict)}" for verdict in Verdict if counts[verdict])


def floor_line(compared: Compared) -> str:
    """What counts as a difference."""
    base, new = (
        "unknown" if found is None else in_percent(as_part(found), 1) for found in compared.aa_floors
    )
    threshold = in_percent(compared.threshold, 1)
    moved = "" if compared.aim is Aim.MEMORY else ", plus what the machine itself changed"
    return (
        f"needs: the larger of {threshold} and the A/A floor (of the cells of its kind where it rests on "
        f"{LEAST_PAIRS} pairs or more, else of all cells: {base} in base, {new} in new){moved}; "
        "and significance after Holm's correction; same only where noise and machine could not hide "
        f"{threshold}"
    )


def machine_line(compared: Compared) -> str:
    """What the reference probes say of the machine in the new run against the base."""
    told = [f"{cpus_text(cpus)}: {shift_text(shift)}" for cpus, shift in by_cpus(compared.rows)]
    return f"machine, time in new over base: {'; '.join(told) or 'unknown'}"


def shift_text(shift: Shift | None) -> str:
    """`matrix product 1.031, interpreter 0.998`."""
    if shift is None:
        return "unknown, as a run has no probe there"
    return f"matrix product {math.exp(shift.product):.3f}, interpreter {math.exp(shift.loop):.3f}"


def as_part(log_ratio: float) -> float:
    """A logarithm as a part, such as 0.05."""
    return math.expm1(log_ratio)
