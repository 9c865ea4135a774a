"""`python3 -m runner.probe`: the host as a container on it sees it, and the lock that keeps two harnesses apart.

Answers each line on standard input with one JSON line of facts, and sleeps in between. The harness holds standard
input open for as long as it measures: a killed harness lets go of it, the container ends, and the next may start.
"""

from __future__ import annotations

import json
import os
import sys

from runner.cgroup import open_cgroup, read_int, read_text
from runner.manifest import manifest_hash

CPUS = "/sys/devices/system/cpu"
NODES = "/sys/devices/system/node"
VOLUMES = "/volumes"


def parse_list(text: str) -> list[int]:
    """Read the kernel's list format, such as `0-3,8,10-11`."""
    numbers: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def topology(allowed: list[int]) -> list[dict[str, int]]:
    """For each logical CPU that a container may use: its core, its socket and its memory node."""
    nodes = {
        cpu: int(name[4:])
        for name in (os.listdir(NODES) if os.path.isdir(NODES) else [])
        if name.startswith("node") and name[4:].isdigit()
        for cpu in parse_list(read_text(NODES, name, "cpulist") or "")
    }
    return [
        {
            "cpu": cpu,
            "core": read_known(cpu, "core_id", cpu),
            "socket": read_known(cpu, "physical_package_id", 0),
            "node": nodes.get(cpu, 0),
        }
        for cpu in allowed
    ]


def read_known(cpu: int, name: str, unknown: int) -> int:
    """One topology number of a logical CPU; some virtual machines give none, or -1."""
    value = read_int(CPUS, f"cpu{cpu}", "topology", name)
    return unknown if value is None or value < 0 else value


def cpu_information() -> dict[str, str]:
    """The first processor's entry in `/proc/cpuinfo`, by lower-case key."""
    entry = (read_text("/proc/cpuinfo") or "").split("\n\n")[0]
    pairs = (line.partition(":") for line in entry.splitlines())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def memory_bytes() -> int:
    """MemTotal of the host; `/proc/meminfo` is not namespaced."""
    for line in (read_text("/proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    sys.exit("/proc/meminfo has no MemTotal")


def facts() -> dict[str, object]:
    """Everything the harness has to know of the host, and which model volumes are complete."""
    os.sync()  # a freshly built image or model must not stand dirty in the page cache: see page_cache.py
    allowed = sorted(os.sched_getaffinity(0))
    information = cpu_information()
    return {
        "cpu_model": information.get("model name") or information.get("cpu part") or "unknown",
        "cpu_flags": (information.get("flags") or information.get("features") or "").split(),
        "topology": topology(allowed),
        "memory_bytes": memory_bytes(),
        "architecture": os.uname().machine,
        "kernel": os.uname().release,
        "cgroup_version": open_cgroup().version,
        "governor": (read_text(CPUS, f"cpu{allowed[0]}", "cpufreq", "scaling_governor") or "").strip()
        or None,
        "manifests": {
            name: manifest_hash(os.path.join(VOLUMES, name))
            for name in (sorted(os.listdir(VOLUMES)) if os.path.isdir(VOLUMES) else [])
        },
    }


def main() -> None:
    """Answer until the harness lets go."""
    for _ in sys.stdin:
        print(json.dumps(facts()), flush=True)


if __name__ == "__main__":
    main()
