"""What a run says of its own noise: the A/A floor of each figure that cells are ranked by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.stats.floor import aa_floor
from harness.stats.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.results import Cell, SessionRound
    from harness.stats.cell import CellStats, Measured
    from harness.stats.floor import Floor
    from harness.stats.intervals import Estimate
    from harness.stats.ranking import Ranking


class Aim(StrEnum):
    """What cells are ranked by: less is better."""

    LATENCY = "latency"
    MEMORY = "memory"
    START = "start"


def by_round(stats: CellStats, aim: Aim) -> Mapping[SessionRound, float]:
    """A cell's figure of each trial, by session and round."""
    match aim:
        case Aim.LATENCY:
            return stats.medians_ms
        case Aim.MEMORY:
            return stats.rss_peaks
        case Aim.START:
            return stats.cold_starts_ms


def estimate(stats: CellStats, aim: Aim) -> Estimate | None:
    """A cell's figure with its interval: milliseconds, or bytes of memory."""
    match aim:
        case Aim.LATENCY:
            return stats.p50_ms
        case Aim.MEMORY:
            return stats.rss_peak_bytes
        case Aim.START:
            return stats.cold_start_ms


def floors(measured: Iterable[Measured]) -> dict[Aim, Floor | None]:
    """What a whole run says of each figure: how far apart identical cells of all kinds are found."""
    ok = [each for each in measured if _counts(each)]
    return {aim: _floor(ok, _twins(ok), aim) for aim in Aim}


def group_floors(
    measured: Iterable[Measured], aim: Aim, *, by_rounds: bool = False
) -> dict[str, Floor | None]:
    """The floor that counts for each cell: that of the cells it is ranked against.

    A call of some microseconds is noisier than one of some milliseconds, so cells of other models, batches and limits
    say nothing about these.

    Args:
        measured: the cells.
        aim: the figure.
        by_rounds: for differences that are taken round by round, as ranks are.

    Returns:
        By cell id, of the cells that are ok.
    """
    ok = [each for each in measured if _counts(each)]
    twins = _twins(ok)
    groups: dict[object, list[Measured]] = defaultdict(list)
    for each in ok:
        groups[group_key(each.result.cell)].append(each)
    return {
        each.result.cell_id: floor
        for members in groups.values()
        for floor in (_floor(members, twins, aim, by_rounds=by_rounds),)
        for each in members
    }


def group_key(cell: Cell) -> tuple[object, ...]:
    """What cells that are ranked against each other have in common: all but the framework."""
    return cell.workload, cell.cpus, cell.memory_bytes, cell.cpu_mode, cell.threads


def rank_cells(cells: Sequence[Measured], aim: Aim, floor: Floor | None) -> Ranking:
    """Rank cells that are ok, and of one group, by one figure.

    A resident peak at the cap is what the kernel left, and not what the framework would hold with room: it may be
    proved to be more than another, but not less.
    """
    ranking = rank([by_round(each.stats, aim) for each in cells], floor.log_ratio if floor else None)
    if aim is not Aim.MEMORY:
        return ranking
    return replace(ranking, less=frozenset(pair for pair in ranking.less if not cells[pair[0]].stats.at_cap))


def _counts(measured: Measured) -> bool:
    return measured.ok and not measured.result.cell.is_floor


def _twins(ok: Iterable[Measured]) -> dict[Cell, Measured]:
    """The twins of a run, by the cell that each of them measures a second time."""
    return {each.result.cell.model_copy(update={"twin": False}): each for each in ok if each.result.cell.twin}


def _floor(
    members: Sequence[Measured], twins: Mapping[Cell, Measured], aim: Aim, *, by_rounds: bool = False
) -> Floor | None:
    """The floor of some cells; the twin is counted where its original is among them."""
    own = [each for each in members if not each.result.cell.twin]
    original = next((each for each in own if twins and each.result.cell in twins), None)
    pair = None
    if original is not None:
        pair = by_round(original.stats, aim), by_round(twins[original.result.cell].stats, aim)
    named = original.result.cell_id if original is not None else None
    return aa_floor([by_round(each.stats, aim) for each in own], pair, named, by_rounds=by_rounds)
