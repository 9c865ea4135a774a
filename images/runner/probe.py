"""`python3 -m runner.probe`: the host as a container on it sees it, and the lock that keeps two harnesses apart.

Answers each line on standard input with one JSON line of facts, and sleeps in between. The harness holds standard
input open for as long as it measures: a killed harness lets go of it, the container ends, and the next may start.
"""

from __future__ import annotations

import json
import os
import sys

from runner.cgroup import open_cgroup, parse_list, read_int, read_text
from runner.conditions import conditions
from runner.manifest import read_seal

CPUS = "/sys/devices/system/cpu"
DEVICES = "/sys/devices"
NODES = "/sys/devices/system/node"
CLOCK = "/sys/devices/system/clocksource/clocksource0"
VOLUMES = "/volumes"


def topology(allowed: list[int]) -> list[dict[str, int | str | bool]]:
    """For each logical CPU that a container may use: its core, its socket, its memory node and its kind.

    A node may have CPUs and no memory, where nothing is plugged into its channels.
    """
    nodes = {
        cpu: int(name[4:])
        for name in (os.listdir(NODES) if os.path.isdir(NODES) else [])
        if name.startswith("node") and name[4:].isdigit()
        for cpu in parse_list(read_text(NODES, name, "cpulist") or "")
    }
    populated = read_text(NODES, "has_memory")  # an old kernel does not tell
    kinds = core_kinds(allowed)
    return [
        {
            "cpu": cpu,
            "core": min(siblings(cpu)),  # with a device tree Linux counts `core_id` anew in each cluster
            "socket": socket(cpu),
            "node": nodes.get(cpu, 0),
            "kind": kinds[cpu],
            "whole_core": set(siblings(cpu)) <= set(allowed),
            "has_memory": populated is None or nodes.get(cpu, 0) in parse_list(populated),
        }
        for cpu in allowed
    ]


def siblings(cpu: int) -> list[int]:
    """The logical CPUs of a core; only itself where the host does not tell."""
    return parse_list(read_text(CPUS, f"cpu{cpu}", "topology", "thread_siblings_list") or str(cpu))


def core_kinds(allowed: list[int]) -> dict[int, str]:
    """The kind of each CPU's core: `performance` and `efficiency` on hybrid x86, `capacity N` on big.LITTLE.

    Empty where all cores are alike, or the kernel does not tell.
    """
    kinds = dict.fromkeys(allowed, "")
    capacities = {cpu: read_int(CPUS, f"cpu{cpu}", "cpu_capacity") for cpu in allowed}
    if len(set(capacities.values())) > 1:
        kinds = {cpu: f"capacity {capacity or 0}" for cpu, capacity in capacities.items()}
    for name, kind in (("cpu_core", "performance"), ("cpu_atom", "efficiency")):
        for cpu in parse_list(read_text(DEVICES, name, "cpus") or ""):
            if cpu in kinds:
                kinds[cpu] = kind
    return kinds if len(set(kinds.values())) > 1 else dict.fromkeys(allowed, "")


def socket(cpu: int) -> int:
    """The socket of a logical CPU; 0 where the host gives none, or -1, as some virtual machines and boards do."""
    return max(0, read_int(CPUS, f"cpu{cpu}", "topology", "physical_package_id") or 0)


def cpu_information() -> dict[str, str]:
    """The first processor's entry in `/proc/cpuinfo`, by lower-case key."""
    entry = (read_text("/proc/cpuinfo") or "").split("\n\n")[0]
    pairs = (line.partition(":") for line in entry.splitlines())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def memory(proc: str = "/proc") -> dict[str, int]:
    """`/proc/meminfo` in bytes, by the kernel's names; it is not namespaced, and speaks of the host."""
    lines = (line.split() for line in (read_text(proc, "meminfo") or "").splitlines())
    found = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) == 3}
    if "MemTotal" not in found:
        sys.exit("/proc/meminfo has no MemTotal")
    return found


def turbo(cpus: str = CPUS) -> bool | None:
    """Whether cores may run above their nominal frequency; `None` where the host does not show it."""
    off, boost = read_int(cpus, "intel_pstate", "no_turbo"), read_int(cpus, "cpufreq", "boost")
    if off is not None:
        return off == 0
    return None if boost is None else boost != 0


def disk_free_bytes() -> int:
    """Free where the engine keeps its images: a container's root lies on that file system."""
    root = os.statvfs("/")
    return root.f_bavail * root.f_frsize


def facts() -> dict[str, object]:
    """Everything the harness has to know of the host, and what the model volumes hold."""
    os.sync()  # a freshly built image or model must not stand dirty in the page cache: see page_cache.py
    allowed = sorted(os.sched_getaffinity(0))
    information = cpu_information()
    sizes = memory()
    return {
        "cpu_model": information.get("model name") or information.get("cpu part") or "unknown",
        "cpu_flags": (information.get("flags") or information.get("features") or "").split(),
        "topology": topology(allowed),
        "memory_bytes": sizes["MemTotal"],
        "available_bytes": sizes.get("MemAvailable"),
        "swap_bytes": sizes.get("SwapTotal"),
        "disk_free_bytes": disk_free_bytes(),
        "architecture": os.uname().machine,
        "kernel": os.uname().release,
        "cgroup_version": open_cgroup().version,
        "governor": (read_text(CPUS, f"cpu{allowed[0]}", "cpufreq", "scaling_governor") or "").strip()
        or None,
        "turbo": turbo(),
        "clock_source": (read_text(CLOCK, "current_clocksource") or "").strip() or None,
        "conditions": conditions("before"),
        "volumes": {
            name: volume_facts(os.path.join(VOLUMES, name))
            for name in (sorted(os.listdir(VOLUMES)) if os.path.isdir(VOLUMES) else [])
        },
    }


def volume_facts(folder: str) -> dict[str, object] | None:
    """What a volume of artefacts says of itself; `None` while it is not complete."""
    sealed = read_seal(folder)
    if sealed is None:
        return None
    try:
        told = json.loads(read_text(folder, "facts.json") or "{}")
    except (ValueError, RecursionError):
        return None
    return {**sealed, "facts": told} if isinstance(told, dict) else None


def main() -> None:
    """Answer until the harness lets go."""
    for _ in sys.stdin:
        print(json.dumps(facts()), flush=True)


if __name__ == "__main__":
    main()
