"""How long the rest will take."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from harness.events import RunStarted, TrialEnded

if TYPE_CHECKING:
    from harness.events import Event


class Estimate:
    """How long the rest will take, learned from the trials since the run began or went on; frameworks differ tenfold.

    What stands between trials, such as the reference probes, is learned as a factor. The budget is an upper bound.
    """

    def __init__(self) -> None:
        self._left = 0
        self._begin = time.monotonic()
        self._budget_s = math.inf
        self._spent: dict[str, list[float]] = defaultdict(list)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, RunStarted):
            self._left = event.trials - event.done
            self._begin = time.monotonic()
            self._budget_s = math.inf if event.budget_left_s is None else event.budget_left_s
            self._spent.clear()  # beside an older sum, the time that passes between trials would be lost
        if isinstance(event, TrialEnded):
            self._left = event.total - event.number
            self._spent[event.framework].append(event.engine_s)

    def seconds(self) -> float | None:
        """Wall time left; `None` before the first trial has ended."""
        means = [sum(spent) / len(spent) for spent in self._spent.values()]
        if not means:
            return None
        measured = sum(sum(spent) for spent in self._spent.values())
        passed = time.monotonic() - self._begin
        between = max(1.0, passed / measured) if measured else 1.0
        return min(self._left * sum(means) / len(means) * between, max(0.0, self._budget_s - passed))
