"""Where a slow starter overtakes a fast one: the number of answers from which on it has taken less time in all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import covariance, fmean
from typing import TYPE_CHECKING

from scipy import special

from harness.stats.differences import LEAST_TRIALS
from harness.stats.intervals import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.results import SessionRound


@dataclass(frozen=True, kw_only=True)
class Course:
    """What a cell takes in all: its start, which ends with the first answer, and so much for each further call."""

    start_ms: float
    call_ms: float
    starts_ms: Mapping[SessionRound, float]
    """By session and round."""
    calls_ms: Mapping[SessionRound, float]
    """By session and round."""

    def after(self, calls: float) -> float:
        """Time from process start to so many answers, from the first on."""
        return self.start_ms + (calls - 1) * self.call_ms


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """The number of answers at which two courses meet; between the bounds the trials do not tell who is ahead."""

    calls: float
    low: float
    high: float


def crossing(slow: Course, fast: Course) -> Crossing | None:
    """Where the slow starter has caught up with the fast one.

    The bounds are Fieller's: all numbers of calls at which the times in all do not differ by a paired t-test over the
    rounds that both took part in. They have an end, and begin above 1, exactly where both the starts and the calls
    differ by that test.

    Args:
        slow: it starts later.
        fast: each of its calls takes longer.

    Returns:
        `None` where the two do not meet, or the rounds leave open whether they do.
    """
    later, gain = slow.start_ms - fast.start_ms, fast.call_ms - slow.call_ms
    bounds = _fieller(slow, fast)
    if later <= 0 or gain <= 0 or bounds is None:
        return None
    calls = 1 + later / gain
    # The figures are medians and geometric means, the bounds those of plain means: they must not shut them out.
    return Crossing(calls=calls, low=min(bounds[0], calls), high=max(bounds[1], calls))


def _fieller(slow: Course, fast: Course) -> tuple[float, float] | None:
    """Confidence bounds of 1 and later start over gain a call (Fieller 1954)."""
    courses = (slow.starts_ms, fast.starts_ms, slow.calls_ms, fast.calls_ms)
    rounds = sorted(set.intersection(*(set(each) for each in courses)))
    if len(rounds) < LEAST_TRIALS:
        return None
    later = [slow.starts_ms[index] - fast.starts_ms[index] for index in rounds]
    gain = [fast.calls_ms[index] - slow.calls_ms[index] for index in rounds]
    t = float(special.stdtrit(len(rounds) - 1, (1 + CONFIDENCE) / 2))
    mean_later, mean_gain = fmean(later), fmean(gain)
    var_later, var_gain, both = (
        covariance(one, other) / len(rounds) for one, other in ((later, later), (gain, gain), (later, gain))
    )
    square = mean_gain**2 - t**2 * var_gain
    rest = mean_later**2 - t**2 * var_later
    if min(mean_later, mean_gain, square, rest) <= 0:
        return None
    middle = mean_later * mean_gain - t**2 * both
    root = math.sqrt(max(0.0, middle**2 - square * rest))
    return 1 + (middle - root) / square, 1 + (middle + root) / square
