"""The A/A floor: by how much two identical cells of this run differ, and so the smallest difference that counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from statistics import fmean
from typing import TYPE_CHECKING

from harness.stats.differences import LEAST_TRIALS, Difference, paired_difference
from harness.stats.intervals import CONFIDENCE, t_quantile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.results import SessionRound


@dataclass(frozen=True, kw_only=True)
class Floor:
    """How far apart identical cells are found."""

    log_ratio: float
    """95 % of the differences between identical cells, with as many trials as these have, are smaller where all cells
    spread alike (see `aa_floor`): a logarithm."""
    pairs: int
    """Identical pairs that it rests on: split cells, and the twin."""
    twin: Difference | None
    """One cell measured twice throughout the run; `None` where it was not."""
    twin_of: str | None = None
    """Id of that cell."""

    @property
    def ratio(self) -> float:
        """The floor as a part of the smaller figure, such as 0.03."""
        return math.exp(self.log_ratio) - 1


def aa_floor(
    cells: Sequence[Mapping[SessionRound, float]],
    twin: tuple[Mapping[SessionRound, float], Mapping[SessionRound, float]] | None = None,
    twin_of: str | None = None,
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

    Returns:
        `None` where no cell has two trials of one session.
    """
    between = paired_difference(*twin) if twin is not None else None
    squares = [square for cell in cells if (square := _split(cell)) is not None]
    if between is not None:
        squares.append(between.log_ratio**2)
    if not squares:
        return None
    quantile = t_quantile((1 + CONFIDENCE) / 2, len(squares))
    return Floor(
        log_ratio=quantile * math.sqrt(fmean(squares)),
        pairs=len(squares),
        twin=between,
        twin_of=twin_of if between is not None else None,
    )


def _split(figures: Mapping[SessionRound, float]) -> float | None:
    """The squared difference of a cell's halves, scaled to that of two cells with all its trials each."""
    if not figures or min(figures.values()) <= 0:  # what took no time has no logarithm
        return None
    halves = list(_halves(figures))
    if not halves:
        return None
    # As between cells, what changed from one session to the next cancels; each counts by what it tells.
    weights = [1 / (1 / len(first) + 1 / len(second)) for first, second in halves]
    apart = [fmean(first) - fmean(second) for first, second in halves]
    difference = sum(weight * each for weight, each in zip(weights, apart, strict=True)) / sum(weights)
    return difference**2 * sum(weights) * 2 / sum(len(first) + len(second) for first, second in halves)


def _halves(figures: Mapping[SessionRound, float]) -> Iterator[tuple[Sequence[float], Sequence[float]]]:
    """The logarithms of every first and every second trial of each session that has two."""
    for _, found in groupby(sorted(figures), key=attrgetter("session")):
        ordered = [math.log(figures[each]) for each in found]
        if len(ordered) >= LEAST_TRIALS:
            yield ordered[0::2], ordered[1::2]
