"""Words and ratios that several parts of the article's page need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.formats import UNKNOWN, number
from harness.stats.differences import paired_difference
from harness.stats.intervals import Estimate
from harness.stats.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.article.figures import Standing
    from harness.article.ladder import Ladder
    from harness.stats.floor import Floor


def order_of(rung: Mapping[str, Standing]) -> tuple[str, ...]:
    """The frameworks of one rung, the fastest first."""
    measured = {name: each.latency.value for name, each in rung.items() if each.latency is not None}
    return tuple(sorted(measured, key=lambda name: measured[name]))


def proved_pairs(rung: Mapping[str, Standing], floor: Floor | None) -> frozenset[tuple[str, str]]:
    """Which frameworks of one rung are proved apart: the first of each pair is the faster one.

    Places alone do not tell: one framework that ties with all makes those of neighbours that are proved apart overlap.
    """
    names = [name for name, each in rung.items() if each.latencies]
    ranking = rank([rung[name].latencies for name in names], floor.log_ratio if floor else None)
    return frozenset((names[one], names[other]) for one, other in ranking.less)


def names_of(ladder: Ladder, names: Sequence[str]) -> str:
    """Names as people write them."""
    return ", ".join(ladder.published[name].title for name in names)


def place_of(standing: Standing) -> str:
    """The place among the five that is proved, or the places."""
    if standing.band is None:
        return UNKNOWN
    best, worst = standing.band
    return f"place {best}" if best == worst else f"place {best} to {worst}"


def ratio_of(rung: Mapping[str, Standing], base: str, other: str) -> Estimate | None:
    """How many times as long one takes as another, by round."""
    difference = paired_difference(rung[base].latencies, rung[other].latencies)
    if difference is None:
        one, two = rung[base].latency, rung[other].latency
        return Estimate(value=two.value / one.value) if one and two else None
    low, high = difference.interval()
    return Estimate(value=difference.ratio, low=low, high=high)


def bounds_of(estimate: Estimate | None) -> str:
    """The 95 % interval; empty where there is none."""
    if estimate is None or estimate.low is None:
        return ""
    return f"[{number(estimate.low)}, {number(estimate.high)}]"
