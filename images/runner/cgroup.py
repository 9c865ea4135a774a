"""The container's own cgroup, version 1 or 2, read from inside.

Both readers answer the same questions in the same units: bytes and nanoseconds. A file that the kernel does not
have gives `None`, never 0. See the kernel's `admin-guide/cgroup-v1/` and `admin-guide/cgroup-v2.rst`.
"""

from __future__ import annotations

import os

ROOT = "/sys/fs/cgroup"
UNLIMITED = 1 << 62  # version 1 writes "no limit" as the largest page-aligned 63-bit number


def open_cgroup(root: str = ROOT) -> CgroupV1 | CgroupV2:
    """Find which version is mounted at `root`: only version 2 has `cgroup.controllers` there."""
    if os.path.exists(os.path.join(root, "cgroup.controllers")):
        return CgroupV2(root)
    return CgroupV1(root)


def read_text(*path: str) -> str | None:
    """Read a small kernel file, or `None` where this kernel has none."""
    try:
        with open(os.path.join(*path), encoding="ascii") as file:
            return file.read()
    except OSError:
        return None


def read_int(*path: str) -> int | None:
    """Read a kernel file that holds one number; `max` and absent files are `None`."""
    text = read_text(*path)
    return int(text) if text is not None and text.strip().lstrip("-").isdigit() else None


def read_table(*path: str) -> dict[str, int]:
    """Read a kernel file of `key number` lines; empty where there is none."""
    pairs = (line.split() for line in (read_text(*path) or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def parse_list(text: str) -> list[int]:
    """Read the kernel's list format, such as `0-3,8,10-11`."""
    numbers: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def read_swap(root: str) -> int | None:
    """Version 2's swap limit in bytes: `UNLIMITED` for `max`, `None` where swap is not accounted."""
    text = read_text(root, "memory.swap.max")
    return UNLIMITED if text is not None and text.strip() == "max" else read_int(root, "memory.swap.max")


def difference(larger: int | None, smaller: int | None) -> int | None:
    """Subtract; unknown where either is."""
    return None if larger is None or smaller is None else larger - smaller


def scaled(value: int | None, factor: int) -> int | None:
    """Change a unit; what is unknown stays unknown."""
    return None if value is None else value * factor


def missing(cgroup: CgroupV1 | CgroupV2) -> list[str]:
    """The files that this kernel does not have, or does not show: why some figures will be empty."""
    return [name for name in cgroup.files if not os.path.exists(os.path.join(cgroup.root, name))]


class CgroupV1:
    """Version 1: one directory per controller."""

    version = 1
    files = (
        "cpu/cpu.cfs_quota_us", "cpu/cpu.stat", "cpuacct/cpuacct.usage", "memory/memory.limit_in_bytes",
        "memory/memory.memsw.limit_in_bytes", "memory/memory.max_usage_in_bytes", "memory/memory.stat",
        "memory/memory.oom_control", "pids/pids.max",
    )  # fmt: skip

    def __init__(self, root: str) -> None:
        self.root = root

    def limits(self) -> dict[str, float | int | None]:
        """Quota in CPUs, memory and swap in bytes, processes.

        `None` where there is no limit; for swap where it is not accounted, and `UNLIMITED` where it is not limited.
        """
        quota = read_int(self.root, "cpu", "cpu.cfs_quota_us")
        period = read_int(self.root, "cpu", "cpu.cfs_period_us")
        memory = self._smallest("memory.limit_in_bytes", "hierarchical_memory_limit")
        both = self._smallest("memory.memsw.limit_in_bytes", "hierarchical_memsw_limit")
        return {
            "quota_cpus": quota / period if quota and period and quota > 0 else None,
            "memory_bytes": memory if memory is not None and memory < UNLIMITED else None,
            "swap_bytes": UNLIMITED if both is not None and both >= UNLIMITED else difference(both, memory),
            "pids_max": read_int(self.root, "pids", "pids.max"),
        }

    def cpu(self) -> dict[str, int | None]:
        """CPU time of all processes so far, and what the quota held back."""
        stat = read_table(self.root, "cpu", "cpu.stat")
        return {
            "cpu_ns": read_int(self.root, "cpuacct", "cpuacct.usage"),
            "periods": stat.get("nr_periods"),
            "throttled_periods": stat.get("nr_throttled"),
            "throttled_ns": stat.get("throttled_time"),
        }

    def memory(self) -> dict[str, int | None]:
        """Anonymous and file pages charged now, and the peak of everything so far."""
        stat = read_table(self.root, "memory", "memory.stat")
        return {
            "cgroup_anon_bytes": stat.get("total_rss"),
            "cgroup_file_bytes": stat.get("total_cache"),
            "cgroup_mapped_bytes": stat.get("total_mapped_file"),
            "cgroup_peak_bytes": read_int(self.root, "memory", "memory.max_usage_in_bytes"),
        }

    def oom_kills(self) -> int | None:
        """How many processes the kernel killed for this cgroup's cap."""
        return read_table(self.root, "memory", "memory.oom_control").get("oom_kill")

    def _smallest(self, name: str, inherited: str) -> int | None:
        """A limit of this cgroup, or a smaller one that an ancestor has; `None` where it is not accounted."""
        own = read_int(self.root, "memory", name)
        above = read_table(self.root, "memory", "memory.stat").get(inherited)
        return own if own is None or above is None else min(own, above)


class CgroupV2:
    """Version 2: one directory for all controllers."""

    version = 2
    files = (
        "cpu.max", "cpu.stat", "memory.max", "memory.swap.max", "memory.peak", "memory.stat", "memory.events",
        "pids.max",
    )  # fmt: skip

    def __init__(self, root: str) -> None:
        self.root = root

    def limits(self) -> dict[str, float | int | None]:
        """Quota in CPUs, memory and swap in bytes, processes.

        `None` where there is no limit; for swap where it is not accounted, and `UNLIMITED` where it is not limited.
        """
        quota = (read_text(self.root, "cpu.max") or "max 100000").split()
        return {
            "quota_cpus": None if quota[0] == "max" else int(quota[0]) / int(quota[1]),
            "memory_bytes": read_int(self.root, "memory.max"),
            "swap_bytes": read_swap(self.root),
            "pids_max": read_int(self.root, "pids.max"),
        }

    def cpu(self) -> dict[str, int | None]:
        """CPU time of all processes so far, and what the quota held back."""
        stat = read_table(self.root, "cpu.stat")
        return {
            "cpu_ns": scaled(stat.get("usage_usec"), 1000),
            "periods": stat.get("nr_periods"),
            "throttled_periods": stat.get("nr_throttled"),
            "throttled_ns": scaled(stat.get("throttled_usec"), 1000),
        }

    def memory(self) -> dict[str, int | None]:
        """Anonymous and file pages charged now, and the peak of everything so far (kernel 5.19 on)."""
        stat = read_table(self.root, "memory.stat")
        return {
            "cgroup_anon_bytes": stat.get("anon"),
            "cgroup_file_bytes": stat.get("file"),
            "cgroup_mapped_bytes": stat.get("file_mapped"),
            "cgroup_peak_bytes": read_int(self.root, "memory.peak"),
        }

    def oom_kills(self) -> int | None:
        """How many processes the kernel killed for this cgroup's cap."""
        return read_table(self.root, "memory.events").get("oom_kill")
