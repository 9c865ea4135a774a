"""A trial's phases, each reported with the kernel's counters over it.

All figures are differences of counters between the phase's two borders, read by the worker itself: no thread polls
anything while a framework runs.
"""

from __future__ import annotations

import json
import os
import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner import process
from runner.cgroup import difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.cgroup import CgroupV1, CgroupV2

REPORT_FD = 3
DIFFERENCES = (
    "wall_ns", "cpu_ns", "user_ns", "system_ns", "voluntary_switches", "involuntary_switches",
    "minor_faults", "major_faults", "read_bytes", "periods", "throttled_periods", "throttled_ns",
)  # fmt: skip


def report(record: dict[str, object]) -> None:
    """Send one record to the supervisor, whole and at once."""
    view = memoryview(json.dumps(record, separators=(",", ":")).encode() + b"\n")
    while view:
        view = view[os.write(REPORT_FD, view) :]


def counters(cgroup: CgroupV1 | CgroupV2) -> dict[str, int | None]:
    """Everything that only grows: time, CPU time, switches, faults, bytes read, throttling."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_ns": time.monotonic_ns(),
        **cgroup.cpu(),
        "user_ns": round(usage.ru_utime * 1e9),
        "system_ns": round(usage.ru_stime * 1e9),
        "voluntary_switches": usage.ru_nvcsw,
        "involuntary_switches": usage.ru_nivcsw,
        "minor_faults": usage.ru_minflt,
        "major_faults": usage.ru_majflt,
        "read_bytes": process.read_bytes(),
    }


def process_start(cgroup: CgroupV1 | CgroupV2, start: dict[str, int | None]) -> dict[str, int | None]:
    """The counters as they stood when the supervisor started this process, so that `import` holds all of it.

    Args:
        cgroup: of both.
        start: the clock and the cgroup's counters at that moment; a process begins with all others at zero.
    """
    return {**dict.fromkeys(counters(cgroup), 0), **start}


class Phases:
    """Runs the phases one after the other and reports each as it ends.

    Attributes:
        current: the phase that is running, for the report of an exception.
        kept_bytes: resident memory that holds latencies, the harness's own; taken off every peak.
    """

    def __init__(self, cgroup: CgroupV1 | CgroupV2) -> None:
        self.cgroup = cgroup
        self.current: str | None = None
        self.kept_bytes = 0

    @contextmanager
    def phase(self, name: str, start: dict[str, int | None] | None = None) -> Iterator[None]:
        """Run one phase.

        Args:
            name: the phase.
            start: its starting counters where it began before this call, as `import` does.
        """
        self.current = name
        report({"type": "phase_start", "name": name})
        process.reset_peak()
        before = start or counters(self.cgroup)
        yield
        after = counters(self.cgroup)
        self.current = None
        record: dict[str, object] = {key: difference(after[key], before[key]) for key in DIFFERENCES}
        memory = {**process.status(), **self.cgroup.memory()}
        memory["rss_peak_bytes"] = difference(memory["rss_peak_bytes"], self.kept_bytes)
        report({"type": "phase", "name": name, **record, **memory})
