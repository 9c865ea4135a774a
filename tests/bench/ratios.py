"""The median of paired ratios with an interval that assumes nothing of their distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats as distributions

from harness.stats.intervals import CONFIDENCE


def median_interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The median and its 95 % interval by order statistics (the sign test turned round).

    Returns:
        Low, median, high; the whole range where there are too few to be sure of less.
    """
    ordered = np.sort(ratios)
    rank = int(distributions.binom.ppf((1 - CONFIDENCE) / 2, len(ordered), 0.5))
    below = max(0, rank - 1)
    return float(ordered[below]), float(np.median(ordered)), float(ordered[len(ordered) - 1 - below])
