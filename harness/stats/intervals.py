"""Figures with bounds, and what may be said of two of them: pure statistics over trials.

Student's t on logarithms holds its coverage at three trials, where min-max and the bootstrap do not; figures of
speed are ratios by nature, so their logarithms are what spreads evenly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE: Final = 0.95
SEQUENTIAL_CONFIDENCE: Final = 0.975
"""Of an interval where the number of trials was decided by looking at the trials: stopping when the interval happens
to be narrow costs coverage, which an interval at 97.5 % brings back to about the 95 % that it is reported as; less so
with fewer than five planned trials (ADR 10; `tests/unit/test_precision.py` holds the coverage)."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure of a cell and how far its trials let it wander; no bounds where there is only one trial."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval, on its wider side, over the figure; `None` without bounds."""
        return None if self.high is None else self.high / self.value - 1


def geometric_interval(values: Sequence[float], *, planned: int | None = None) -> Estimate | None:
    """Geometric mean with Student's t interval on the logarithms.

    Args:
        values: one figure a trial.
        planned: how many trials there had to be; more were spent because the interval was too wide. `None`: the number
            did not depend on the values.

    Returns:
        `None` without values, or where one is not positive: it has no logarithm, and a call takes time. No
        bounds for fewer than two.
    """
    if not values or min(values) <= 0:
        return None
    logs = [math.log(value) for value in values]
    if len(logs) == 1:
        return Estimate(value=math.exp(logs[0]))
    centre, error = mean_and_error(logs)
    confidence = CONFIDENCE if planned is None or len(values) <= planned else SEQUENTIAL_CONFIDENCE
    half = t_quantile((1 + confidence) / 2, len(logs) - 1) * error
    return Estimate(value=math.exp(centre), low=math.exp(centre - half), high=math.exp(centre + half))


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean of two figures or more, and its standard error.

    There are as many as a cell has trials, and an array of three costs more than to add them up.
    """
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))


def t_quantile(probability: float, degrees: float) -> float:
    """The quantile of Student's t."""
    return float(special.stdtrit(degrees, probability))


def value_of(estimate: Estimate | None) -> float | None:
    """The figure itself, where there is one."""
    return estimate.value if estimate else None
