"""A quick look at a matrix: an answer in about two minutes, with the intervals that so few and short trials bear."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.config.resolve import resolve_protocol
from harness.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.config import Matrix
    from harness.plan import Plan, PlannedCell
    from harness.results import Cell, Workload

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


def at_the_ends(whole: Plan, fitting: Plan) -> Plan:
    """The cells under the smallest and the largest limit of each workload: where answers differ most.

    A limit under which nothing runs is no end; an end has also its skipped cells, with their reason. Where the host is
    too small for an end of the matrix, that is drawn as skipped, and the nearest limit that the host has is taken too.

    Args:
        whole: the matrix's cells.
        fitting: the same, held against the host; `whole` again where that is not known.

    Returns:
        The matrix's own ends, and behind them what the host adds: each shard then has what it has without the host.
    """
    own = _ends(whole.cells) | _ends(_running(whole))
    present = _ends(_running(fitting))

    def is_own(planned: PlannedCell) -> bool:
        return _limit(planned.cell) in own[planned.cell.workload]

    def is_added(planned: PlannedCell) -> bool:
        return _limit(planned.cell) in present.get(planned.cell.workload, ()) and not is_own(planned)

    return replace(fitting, cells=(*filter(is_own, fitting.cells), *filter(is_added, fitting.cells)))


def _running(plan: Plan) -> Iterator[PlannedCell]:
    return (planned for planned in plan.cells if planned.skip_reason is None)


def _ends(cells: Iterable[PlannedCell]) -> dict[Workload, set[Limit]]:
    limits: dict[Workload, set[Limit]] = defaultdict(set)
    for planned in cells:
        limits[planned.cell.workload].add(_limit(planned.cell))
    return {workload: {min(found), max(found)} for workload, found in limits.items()}


def _limit(cell: Cell) -> Limit:
    return cell.cpus, cell.memory_bytes
