"""Figures with bounds, and what may be said of two of them: pure statistics over trials.

Student's t on logarithms holds its coverage at three trials, where min-max and the bootstrap do not; figures of
speed are ratios by nature, so their logarithms are what spreads evenly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats as distributions

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure of a cell and how far its trials let it wander; no bounds where there is only one trial."""

    value: float
    low: float | None = None
    high: float | None = None


def geometric_interval(values: Sequence[float]) -> Estimate | None:
    """Geometric mean with Student's t interval on the logarithms.

    Args:
        values: one figure a trial.

    Returns:
        `None` without values, or where one is not positive: it has no logarithm, and a call takes time. No
        bounds for fewer than two.
    """
    if not values or min(values) <= 0:
        return None
    logs = np.log(values)
    centre = float(np.mean(logs))
    if len(values) == 1:
        return Estimate(value=math.exp(centre))
    quantile = float(distributions.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    half = quantile * float(np.std(logs, ddof=1)) / math.sqrt(len(values))
    return Estimate(value=math.exp(centre), low=math.exp(centre - half), high=math.exp(centre + half))


def value_of(estimate: Estimate | None) -> float | None:
    """The figure itself, where there is one."""
    return estimate.value if estimate else None


def proved_less(one: Estimate, other: Estimate) -> bool:
    """Whether the trials tell `one` apart from `other`, below it: both have bounds, and these do not meet."""
    return one.high is not None and other.low is not None and one.high < other.low


def rank_bands(estimates: Sequence[Estimate]) -> tuple[tuple[int, int], ...]:
    """The best and the worst place that each may have, smallest first; tied ones share places.

    Two tie when their intervals meet. This is cautious: intervals may meet where a test of the difference
    would still tell the two apart.
    """
    return tuple(
        (
            1 + sum(proved_less(other, own) for other in estimates),
            len(estimates) - sum(proved_less(own, other) for other in estimates),
        )
        for own in estimates
    )
