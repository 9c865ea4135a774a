"""Some time as the host's own counters saw it, such as a trial's steady phase: what others did meanwhile. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.records import Conditions, Limits, Moment, every, first
from harness.results import CpuMode
from harness.stats.samples import steady_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.records import AnyRecord, PhaseEnd
    from harness.results import Requested


@dataclass(frozen=True, kw_only=True)
class Span:
    """Two readings of the host."""

    start: Conditions
    end: Conditions

    @property
    def wall_ns(self) -> int:
        """From one reading to the other."""
        return self.end.at_ns - self.start.at_ns

    def grown(self, counter: str) -> int | None:
        """How much a counter grew; `None` where the host does not have it."""
        before, after = getattr(self.start, counter), getattr(self.end, counter)
        return None if before is None or after is None else max(0, after - before)

    def share(self, counter: str, cpus: int = 1) -> float | None:
        """How much a counter grew, as a part of the time that passed on so many CPUs; `None` where none passed."""
        grown = self.grown(counter)
        return None if grown is None or self.wall_ns <= 0 else grown / (self.wall_ns * cpus)

    def stolen(self) -> float | None:
        """Share of the time that these CPUs wanted to run which the hypervisor gave to others.

        An idle CPU has nothing to lose, so its time does not count. What ran beside a cell lost its part of the stolen
        time too: the share is the same for all of them where the hypervisor takes from whoever runs.
        """
        taken, busy = self.grown("steal_ns"), self.grown("busy_ns")
        return None if taken is None or busy is None else taken / max(1, taken + busy)


@dataclass(frozen=True, kw_only=True)
class Window(Span):
    """Two readings of the host around a steady phase."""

    steady: PhaseEnd
    limits: Limits
    requested: Requested

    @property
    def cpus(self) -> int:
        """Those that the cell may use: the readings are sums over these."""
        return max(1, len(self.limits.cpuset))

    def foreign(self) -> float | None:
        """Share of the time of its CPUs that others took; unknown under a quota, whose CPUs are everybody's."""
        busy, own = self.grown("busy_ns"), self.steady.cpu_ns
        if self.requested.cpu_mode is not CpuMode.CPUSET or busy is None or own is None:
            return None
        return max(0, busy - own) / (self.wall_ns * self.cpus)


def steady_window(records: Sequence[AnyRecord], requested: Requested) -> Window | None:
    """The window of a trial; `None` where it did not come so far.

    Args:
        records: what its container said.
        requested: the limits that it ran under.
    """
    moments = {each.moment: each for each in every(records, Conditions)}
    start, end = moments.get(Moment.STEADY_START), moments.get(Moment.STEADY_END)
    steady, limits = steady_end(records), first(records, Limits)
    if start is None or end is None or steady is None or limits is None or end.at_ns <= start.at_ns:
        return None
    return Window(start=start, end=end, steady=steady, limits=limits, requested=requested)
