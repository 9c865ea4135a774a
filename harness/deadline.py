"""How long a container may run, enforced from outside."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.records import Phase


class Deadline:
    """A time for all of a container's life, and shorter ones for single phases of it.

    Args:
        seconds: wall time from its start to its end.
        phases: wall time of each phase that has a limit of its own.

    Attributes:
        allowed_s: the time that runs out first: what a trial that is out of time was given.
    """

    def __init__(self, seconds: float, phases: Mapping[Phase, float] | None = None) -> None:
        self.allowed_s = seconds
        self._seconds = seconds
        self._phases = phases or {}
        self._whole = self._end = math.inf

    def start(self) -> None:
        """The container starts."""
        self._whole = self._end = time.monotonic() + self._seconds

    def enter(self, phase: Phase) -> None:
        """A phase begins, and the one before it has ended."""
        allowed = self._phases.get(phase, math.inf)
        end = time.monotonic() + allowed
        self._end, self.allowed_s = min((self._whole, self._seconds), (end, allowed))

    def left_s(self) -> float:
        """Time left, seconds; none once it is over."""
        return self._end - time.monotonic()
