"""A quick look at a matrix: an answer in about two minutes, with the intervals that so few and short trials bear."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.config.resolve import resolve_protocol
from harness.units import parse_duration

if TYPE_CHECKING:
    from harness.config import Matrix
    from harness.plan import Plan
    from harness.results import Cell

QUICK_S: Final = 120.0
"""Of measuring, after which no trial begins."""
TRIALS: Final = 3
"""With two, the clearest of ten differences would need 127 standard errors; with three it needs 14."""
WARMUP: Final = "0.2s"
STEADY: Final = "0.3s"

Limit = tuple[float, int]


def shortened(matrix: Matrix) -> Matrix:
    """The same matrix with few and short trials, and without the article."""
    given, keys = matrix.protocol, matrix.written.protocol
    short = keys.model_copy(
        update={
            "trials": min(keys.trials, TRIALS),
            "precision": "",
            "warmup": WARMUP if given.warmup_s > parse_duration(WARMUP) else keys.warmup,
            "budget": STEADY if given.budget_s > parse_duration(STEADY) else keys.budget,
            "article": False,
        }
    )
    written = matrix.written.model_copy(update={"protocol": short})
    return replace(matrix, written=written, protocol=resolve_protocol(short))


def at_the_ends(plan: Plan) -> Plan:
    """The cells under the smallest and the largest limit of each workload: where answers differ most."""
    limits: dict[object, set[Limit]] = defaultdict(set)
    for planned in plan.cells:
        limits[planned.cell.workload].add(_limit(planned.cell))
    ends = {workload: {min(found), max(found)} for workload, found in limits.items()}
    kept = tuple(each for each in plan.cells if _limit(each.cell) in ends[each.cell.workload])
    return replace(plan, cells=kept)


def _limit(cell: Cell) -> Limit:
    return cell.cpus, cell.memory_bytes
