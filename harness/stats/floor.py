"""The A/A floor: by how much two identical cells of this run differ, and so the smallest difference that counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from statistics import fmean
from typing import TYPE_CHECKING, Final

from harness.stats.differences import LEAST_TRIALS, Difference, paired_difference
from harness.stats.intervals import CONFIDENCE, t_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.results import SessionRound

    Figures = Mapping[SessionRound, float]

LEAST_CELLS: Final = 3
"""From so many on, what a round did to all cells is told from what each did by itself."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """How far apart identical cells are found."""

    log_ratio: float
    """95 % of the differences between identical cells, with as many trials as these have, are smaller where all cells
    spread alike (see `aa_floor`): a logarithm."""
    pairs: int
    """Independent pairs of identical cells that it rests on: split cells, and the twin."""
    twin: Difference | None
    """One cell measured twice throughout the run; `None` where it was not."""
    twin_of: str | None = None
    """Id of that cell."""

    @property
    def ratio(self) -> float:
        """The floor as a part of the smaller figure, such as 0.03."""
        return math.exp(self.log_ratio) - 1


def aa_floor(
    cells: Sequence[Figures],
    twin: tuple[Figures, Figures] | None = None,
    twin_of: str | None = None,
    *,
    by_rounds: bool = False,
) -> Floor | None:
    """Estimate the floor of some cells.

    Each cell's trials are split into every first and every second of a session, in the order of their rounds, which
    makes two interleaved identical cells with half the trials. The difference of their means, scaled from halves to
    whole cells, has the spread that two identical whole cells would show. All cells' squared differences are pooled,
    with that of the twin, and the floor is the 95 % quantile of such a difference.

    So the floor is one for the group, and its spread the mean over the cells: it is too small for cells that spread
    more than the others, and too large for quieter ones. The significance of a difference, which it has to have too,
    rests on the two cells' own trials.

    Args:
        cells: of each cell a positive figure by session and round.
        twin: the two of the cell that was measured twice, where it is among these.
        twin_of: the id of that cell.
        by_rounds: the floor is for differences that are taken round by round, in which what the host did to a round
            cancels: what a round did to all of the cells is taken out of their halves too, where there are enough
            cells to tell it.

    Returns:
        `None` where no cell has two trials of one session.
    """
    between = paired_difference(*twin) if twin is not None else None
    logs = [_logs(cell) for cell in (*cells, *(twin[1:] if twin and by_rounds else ()))]
    squares = _splits(_without_rounds(logs)) if by_rounds else []
    degrees = len(squares) - 1  # what is left when the means are taken out adds up to nothing
    if not squares:
        squares = _splits(logs[: len(cells)])
        degrees = len(squares)
    if between is not None:
        squares, degrees = [*squares, between.log_ratio**2], degrees + 1
    if not degrees:
        return None
    quantile = t_quantile((1 + CONFIDENCE) / 2, degrees)
    return Floor(
        log_ratio=quantile * math.sqrt(math.fsum(squares) / degrees),
        pairs=degrees,
        twin=between,
        twin_of=twin_of if between is not None else None,
    )


def _logs(figures: Figures) -> Figures:
    """The figures' logarithms; none where one has none, as it took no time."""
    if not figures or min(figures.values()) <= 0:
        return {}
    return {index: math.log(figure) for index, figure in figures.items()}


def _without_rounds(logs: Sequence[Figures]) -> list[Figures]:
    """What is left of each cell's figures in the rounds that all have, when the mean of all in that round is taken out.

    Returns:
        Nothing where too few cells are there to tell.
    """
    if len(logs) < LEAST_CELLS:
        return []
    common = sorted(set.intersection(*map(set, logs)))
    of_round = {index: fmean(each[index] for each in logs) for index in common}
    return [{index: each[index] - of_round[index] for index in common} for each in logs]


def _splits(logs: Iterable[Figures]) -> list[float]:
    """The squared difference of the halves of each cell that can be split."""
    return [square for each in logs if (square := _split(each)) is not None]


def _split(logs: Figures) -> float | None:
    """The squared difference of a cell's halves, scaled to that of two cells with all its trials each."""
    halves = list(_halves(logs))
    if not halves:
        return None
    # As between cells, what changed from one session to the next cancels; each counts by what it tells.
    weights = [1 / (1 / len(first) + 1 / len(second)) for first, second in halves]
    apart = [fmean(first) - fmean(second) for first, second in halves]
    difference = sum(weight * each for weight, each in zip(weights, apart, strict=True)) / sum(weights)
    return difference**2 * sum(weights) * 2 / sum(len(first) + len(second) for first, second in halves)


def _halves(logs: Figures) -> Iterator[tuple[Sequence[float], Sequence[float]]]:
    """Every first and every second trial of each session that has two."""
    for _, found in groupby(sorted(logs), key=attrgetter("session")):
        ordered = [logs[each] for each in found]
        if len(ordered) >= LEAST_TRIALS:
            yield ordered[0::2], ordered[1::2]
