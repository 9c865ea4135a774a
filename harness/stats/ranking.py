"""Ranks that are proved: what may be said of the cells under one limit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from harness.stats.differences import counts, holm, paired_difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results import SessionRound


@dataclass(frozen=True)
class Ranking:
    """Which of some cells are proved smaller than which."""

    size: int
    less: frozenset[tuple[int, int]]
    """Pairs of indices: the first is proved less than the second."""

    def proved_less(self, one: int, other: int) -> bool:
        """Whether the trials tell `one` apart from `other`, below it."""
        return (one, other) in self.less

    def bands(self) -> tuple[tuple[int, int], ...]:
        """The best and the worst place that each may have; tied ones share places."""
        return tuple(
            (
                1 + sum((other, own) in self.less for other in range(self.size)),
                self.size - sum((own, other) in self.less for other in range(self.size)),
            )
            for own in range(self.size)
        )


def rank(figures: Sequence[Mapping[SessionRound, float]], floor: float | None) -> Ranking:
    """Compare every pair, corrected for their number.

    Args:
        figures: of each cell a positive figure by session and round.
        floor: the smallest difference that counts, a logarithm; `None` where it is unknown, and nothing is proved.
    """
    if floor is None:
        return Ranking(len(figures), frozenset())
    pairs = [
        (pair, difference)
        for pair in combinations(range(len(figures)), 2)
        if (difference := paired_difference(figures[pair[0]], figures[pair[1]])) is not None
    ]
    adjusted = holm([difference.p_value for _, difference in pairs])
    less = {
        (one, other) if difference.log_ratio > 0 else (other, one)
        for ((one, other), difference), p_value in zip(pairs, adjusted, strict=True)
        if counts(difference, p_value, floor)
    }
    return Ranking(len(figures), frozenset(less))


def beaten_by(rankings: Sequence[Ranking]) -> tuple[tuple[int, ...], ...]:
    """Who is better than a cell in every respect: what is beaten by nobody is on the Pareto frontier.

    A tie in any respect beats nobody, so the frontier is rather too large than too small.

    Args:
        rankings: of the same cells, one for each respect.

    Returns:
        Of each cell the indices of those that are proved less in all of them.
    """
    cells = range(rankings[0].size)
    return tuple(
        tuple(other for other in cells if all(each.proved_less(other, own) for each in rankings))
        for own in cells
    )
