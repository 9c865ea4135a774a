"""A trial's steady phase as the host's own counters saw it: what others did meanwhile. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.records import Conditions, Limits, Moment, first
from harness.results import CpuMode
from harness.stats.samples import steady_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.records import AnyRecord, PhaseEnd
    from harness.results import Requested


@dataclass(frozen=True, kw_only=True)
class Window:
    """Two readings of the host around a steady phase."""

    start: Conditions
    end: Conditions
    steady: PhaseEnd
    limits: Limits
    requested: Requested

    @property
    def wall_ns(self) -> int:
        """From one reading to the other."""
        return self.end.at_ns - self.start.at_ns

    @property
    def cpu_ns(self) -> int:
        """What the CPUs that the cell may use had to give meanwhile: the readings are sums over these."""
        return self.wall_ns * max(1, len(self.limits.cpuset))

    def grown(self, counter: str) -> int | None:
        """How much a counter grew; `None` where the host does not have it."""
        before, after = getattr(self.start, counter), getattr(self.end, counter)
        return None if before is None or after is None else max(0, after - before)

    def share(self, counter: str) -> float | None:
        """How much a counter grew, as a part of the time that passed."""
        grown = self.grown(counter)
        return None if grown is None else grown / self.wall_ns

    def stolen(self) -> float | None:
        """Share of CPU time that the hypervisor gave to others."""
        stolen = self.grown("steal_ns")
        return None if stolen is None else stolen / self.cpu_ns

    def foreign(self) -> float | None:
        """Share of the time of its CPUs that others took; unknown under a quota, whose CPUs are everybody's."""
        busy, own = self.grown("busy_ns"), self.steady.cpu_ns
        if self.requested.cpu_mode is not CpuMode.CPUSET or busy is None or own is None:
            return None
        return max(0, busy - own) / self.cpu_ns


def steady_window(records: Sequence[AnyRecord], requested: Requested) -> Window | None:
    """The window of a trial; `None` where it did not come so far.

    Args:
        records: what its container said.
        requested: the limits that it ran under.
    """
    moments = {record.moment: record for record in records if isinstance(record, Conditions)}
    start, end = moments.get(Moment.STEADY_START), moments.get(Moment.STEADY_END)
    steady, limits = steady_end(records), first(records, Limits)
    if start is None or end is None or steady is None or limits is None or end.at_ns <= start.at_ns:
        return None
    return Window(start=start, end=end, steady=steady, limits=limits, requested=requested)
