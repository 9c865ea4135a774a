"""How busy the host is beside this cell: the kernel's own counters, read at a trial's borders and never polled.

`/proc/stat`, `/proc/pressure`, `/proc/loadavg` and `/proc/vmstat` speak of the whole host, inside a container too. What
a kernel or a virtual machine does not show is `None`, never 0. See `proc_stat(5)` and the kernel's
`accounting/psi.rst`.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from runner.cgroup import read_int, read_table, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable

PROC = "/proc"
CPUS = "/sys/devices/system/cpu"
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")


def conditions(moment: str, proc: str = PROC, cpus: str = CPUS) -> dict[str, object]:
    """Read everything once.

    Args:
        moment: `before`, `steady_start`, `steady_end` or `after`.
        proc: where the kernel's process files are.
        cpus: where its files of the processors are.

    Returns:
        The `conditions` record. Times count from the host's start and are sums over the CPUs that this cgroup may use.
    """
    allowed = sorted(os.sched_getaffinity(0))
    stat = read_text(proc, "stat") or ""
    times = cpu_times(stat, allowed)
    swap = read_table(proc, "vmstat")
    return {
        "type": "conditions",
        "moment": moment,
        "at_ns": time.monotonic_ns(),
        "busy_ns": sum(busy for busy, _ in times) * TICK_NS if times else None,
        "steal_ns": sum(steal for _, steal in times) * TICK_NS if times else None,
        "runnable": runnable(stat),
        "load": load(proc),
        "cpu_pressure_ns": pressure(proc, "cpu"),
        "memory_pressure_ns": pressure(proc, "memory"),
        "io_pressure_ns": pressure(proc, "io"),
        "swapped_pages": swap["pswpin"] + swap["pswpout"] if {"pswpin", "pswpout"} <= swap.keys() else None,
        "frequency_khz": mean(read_int(cpus, f"cpu{cpu}", "cpufreq", "scaling_cur_freq") for cpu in allowed),
        "throttle_events": total(
            read_int(cpus, f"cpu{cpu}", "thermal_throttle", "core_throttle_count") for cpu in allowed
        ),
    }


def cpu_times(stat: str, allowed: Iterable[int]) -> list[tuple[int, int]]:
    """What each CPU has spent working and what its hypervisor took from it, in clock ticks."""
    wanted = {f"cpu{cpu}" for cpu in allowed}
    found = []
    for line in stat.splitlines():
        name, *counters = line.split()
        if name in wanted:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, counters[:8])
            found.append((user + nice + system + irq + softirq, steal))
    return found


def runnable(stat: str) -> int | None:
    """Tasks of the whole host that run or wait for a CPU."""
    counts = (line.split() for line in stat.splitlines() if line.startswith("procs_running "))
    return next((int(words[1]) for words in counts), None)


def load(proc: str) -> float | None:
    """The load average of the last minute."""
    words = (read_text(proc, "loadavg") or "").split()
    return float(words[0]) if words else None


def pressure(proc: str, resource: str) -> int | None:
    """How long some task on the host has waited for a resource, nanoseconds; kernels with PSI only."""
    for line in (read_text(proc, "pressure", resource) or "").splitlines():
        if line.startswith("some "):
            return int(line.rpartition("total=")[2]) * 1000
    return None


def total(values: Iterable[int | None]) -> int | None:
    """Sum of what is known; unknown where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def mean(values: Iterable[int | None]) -> int | None:
    """Mean of what is known; unknown where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) // len(known) if known else None
