"""What may be said of two cells: the difference of their medians with its interval, and which differences count.

Differences are taken of logarithms, so that they are ratios. A difference counts when it is significant after a
correction for the number of comparisons, and not smaller than identical cells differ by: the floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from harness.stats.intervals import CONFIDENCE, SEQUENTIAL_CONFIDENCE, mean_and_error, t_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results import SessionRound

ALPHA = 1 - CONFIDENCE
LEAST_TRIALS = 2
SEQUENTIAL_PRICE: Final = ALPHA / (1 - SEQUENTIAL_CONFIDENCE)
"""How many times less likely chance has to be where the number of trials was decided by looking at them (ADR 10)."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The logarithm of a ratio, as a t-distributed estimate."""

    log_ratio: float
    """Above zero: the second is larger."""
    standard_error: float
    degrees: float
    """Degrees of freedom."""
    sequential: bool = False
    """Whether the number of trials of a side was decided by looking at them: p-value and interval pay for it."""

    @property
    def ratio(self) -> float:
        """Second over first."""
        return math.exp(self.log_ratio)

    @property
    def p_value(self) -> float:
        """Two-sided, of no difference at all."""
        if self.standard_error == 0:
            return 1.0 if self.log_ratio == 0 else 0.0
        plain = float(2 * special.stdtr(self.degrees, -abs(self.log_ratio) / self.standard_error))
        return min(1.0, self._price * plain)

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Bounds of the ratio."""
        half = t_quantile(1 - (1 - confidence) / self._price / 2, self.degrees) * self.standard_error
        return math.exp(self.log_ratio - half), math.exp(self.log_ratio + half)

    @property
    def _price(self) -> float:
        return SEQUENTIAL_PRICE if self.sequential else 1.0


def paired_difference(
    first: Mapping[SessionRound, float], second: Mapping[SessionRound, float]
) -> Difference | None:
    """Compare two cells of one run over the rounds that both took part in, in the same session.

    Neighbours in a round saw the same machine, so the drift between rounds cancels (a randomized block design;
    Student's paired t on logarithms). A trial that a later session made up for saw another one, and has no neighbour.

    Args:
        first: a positive figure by session and round.
        second: the same of the other cell.

    Returns:
        `None` with fewer than two common rounds.
    """
    common = sorted(index for index in first.keys() & second.keys() if min(first[index], second[index]) > 0)
    if len(common) < LEAST_TRIALS:
        return None
    mean, error = mean_and_error([math.log(second[index]) - math.log(first[index]) for index in common])
    return Difference(log_ratio=mean, standard_error=error, degrees=len(common) - 1)


def independent_difference(
    first: Sequence[float], second: Sequence[float], *, sequential: bool = False
) -> Difference | None:
    """Compare a cell of two runs: Welch's t on logarithms, unequal numbers and variances allowed.

    Args:
        first: a positive figure of each trial.
        second: the same of the other run.
        sequential: whether a side has further trials because its interval was too wide.

    Returns:
        `None` with fewer than two figures on either side.
    """
    if min(len(first), len(second)) < LEAST_TRIALS:
        return None
    one, other = np.log(first), np.log(second)
    parts = [float(values.var(ddof=1)) / len(values) for values in (one, other)]
    error = math.sqrt(sum(parts))
    weights = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (one, other), strict=True))
    return Difference(
        log_ratio=float(other.mean() - one.mean()),
        standard_error=error,
        degrees=sum(parts) ** 2 / weights if weights else len(first) + len(second) - 2,
        sequential=sequential,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust for the number of comparisons (Holm 1979): the chance of any false one stays below the level.

    Returns:
        Adjusted p-values, in the order given.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def counts(difference: Difference, adjusted_p: float, floor: float) -> bool:
    """Whether a difference is one: significant, and larger than the floor (a logarithm)."""
    return adjusted_p < ALPHA and abs(difference.log_ratio) > floor
