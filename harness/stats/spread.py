"""How latencies spread: a quantile curve over trials, as far as their samples bear it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.stats.samples import quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STEPS: Final = 5
"""Levels for each tenfold rarer call."""
RAREST: Final = 4
"""Tenfolds: one call in 10,000 is as far as a curve goes."""
TAIL_RISK: Final = 0.01
"""Chance, at most, that fewer than two samples lie beyond a quantile: then the samples bear it. `SAMPLES_NEEDED` are
the smallest numbers for which this holds."""
LEVELS: Final = tuple(
    sorted({0.1, 0.5, 0.95, *(1 - 10 ** (-step / STEPS) for step in range(1, STEPS * RAREST + 1))})
)
"""Quantiles of a curve: the rarer, the closer to 1, so that they stand evenly on its axis."""


@dataclass(frozen=True)
class Spread:
    """The quantile curve of one cell, milliseconds."""

    levels: tuple[float, ...]
    middle: tuple[float, ...]
    """Geometric mean of the trials' quantiles."""
    low: tuple[float, ...]
    """The smallest trial's."""
    high: tuple[float, ...]
    """The largest trial's."""

    def at(self, level: float) -> tuple[float, float, float] | None:
        """Middle, smallest and largest trial at one of `LEVELS`; `None` where the samples do not bear it."""
        if level not in self.levels:
            return None
        place = self.levels.index(level)
        return self.middle[place], self.low[place], self.high[place]


def bears(count: int, level: float) -> bool:
    """Whether so many samples bear a quantile: of its rarer side two or more are all but certain to be seen."""
    common = max(level, 1 - level)
    fewer_than_two = common**count + count * (1 - common) * common ** (count - 1)
    return count > 0 and fewer_than_two <= TAIL_RISK


@cache
def borne(count: int) -> tuple[float, ...]:
    """Those of `LEVELS` that so many samples bear."""
    return tuple(level for level in LEVELS if bears(count, level))


def spread(ordered: Sequence[NDArray[np.float64]]) -> Spread | None:
    """The quantile curve of some trials.

    Args:
        ordered: latencies of each trial, shape `(iterations,)`, milliseconds, the smallest first.

    Returns:
        `None` where the trial with the fewest calls bears no quantile, or a call took no time.
    """
    levels = borne(min((found.size for found in ordered), default=0))
    if not levels or min(found[0] for found in ordered) <= 0:
        return None
    curves = np.stack([quantiles(found, levels) for found in ordered])
    middle = np.exp(np.log(curves).mean(axis=0))
    return Spread(
        levels=levels,
        middle=tuple(middle.tolist()),
        low=tuple(curves.min(axis=0).tolist()),
        high=tuple(curves.max(axis=0).tolist()),
    )
