"""Which cores a cell gets: pure functions of its limits and the host's topology.

A cpuset stands for a board with so many cores: distinct physical cores, of one memory node and of one kind, those of
nodes without memory and the host's own core last. Siblings of a core that is in use are left idle, so that no cell ever
shares a core with another; only where there are too few cores do siblings join, and the cell is labelled so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from harness.results import Cell, CpuMode, Requested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.host import LogicalCpu

PERFORMANCE: Final = "performance"
"""The kind of a hybrid processor's large cores, which a cell gets; see `runner/probe.py` for the names."""


def request_limits(cell: Cell, *, topology: Sequence[LogicalCpu], memory_bytes: int) -> Requested:
    """Turn a cell's limits into what is asked of the engine on this host.

    Args:
        cell: the cell.
        topology: the logical CPUs that a container may use.
        memory_bytes: the host's memory.
    """
    over_host = cell.cpus > len(topology) or cell.memory_bytes > memory_bytes
    cores = cores_by_preference(topology)
    if cell.cpu_mode is CpuMode.QUOTA:
        return Requested(
            cpu_mode=CpuMode.QUOTA,
            cpuset=None,
            quota_cpus=cell.cpus,
            memory_nodes=None,
            core_kind=_kind(topology),
            memory_bytes=cell.memory_bytes,
            uses_all_cores=cell.cpus > len(cores) - 1,
            smt=False,
            over_host=over_host,
        )
    chosen = choose_cpus(topology, int(cell.cpus))
    used = [entry for entry in topology if entry.cpu in chosen]
    return Requested(
        cpu_mode=CpuMode.CPUSET,
        cpuset=chosen,
        quota_cpus=None,
        memory_nodes=_memory_nodes(used) if len({entry.node for entry in topology}) > 1 else None,
        core_kind=_kind(used),
        memory_bytes=cell.memory_bytes,
        uses_all_cores=all(any(cpu in chosen for cpu in core) for core in cores),
        smt=len(chosen) > len({(entry.socket, entry.core) for entry in used}),
        over_host=over_host,
    )


def _memory_nodes(cpus: Sequence[LogicalCpu]) -> tuple[int, ...] | None:
    """The nodes of these that have memory, as the engine takes no others; `None` where none has."""
    return tuple(sorted({entry.node for entry in cpus if entry.has_memory})) or None


def _kind(cpus: Sequence[LogicalCpu]) -> str:
    """The kind that all of these are, or `mixed`."""
    kinds = {entry.kind for entry in cpus}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def excess_of_kind(cell: Cell, topology: Sequence[LogicalCpu]) -> str | None:
    """Why a hybrid host cannot give a cell its cores: they would be of several kinds. `None` where it can."""
    best = best_kind(topology)
    present = sum(entry.kind == best for entry in topology)
    if cell.cpu_mode is CpuMode.QUOTA or present == len(topology) or cell.cpus <= present:
        return None
    return f"asks for {cell.cpus:g} cores of one kind, the host has {present} of kind {best!r} and others"


def best_kind(topology: Sequence[LogicalCpu]) -> str:
    """The kind of core that cells get: the largest there is; empty on a host whose cores are all alike."""

    def size(kind: str) -> tuple[bool, int]:
        number = kind.rpartition(" ")[2]
        return kind == PERFORMANCE, int(number) if number.isdigit() else 0

    return max((entry.kind for entry in topology), key=size)


def cores_by_preference(topology: Sequence[LogicalCpu]) -> list[tuple[int, ...]]:
    """The physical cores, each as its logical CPUs in ascending order, the most preferred first.

    Cores of one memory node stand together. Behind them stand cores of which a container may use only some siblings,
    because the others may be busy with somebody else's work; then cores of nodes without memory, which have to fetch
    every byte from another node; and last of all the core that holds the host's first CPU, because the kernel's own
    work and most interrupts land there.
    """
    members: dict[tuple[int, int, int], list[LogicalCpu]] = defaultdict(list)
    for entry in topology:
        members[entry.node, entry.socket, entry.core].append(entry)
    first = min(entry.cpu for entry in topology)
    home = next(entry.node for entry in topology if entry.cpu == first)

    def order(key: tuple[int, int, int]) -> tuple[bool, bool, bool, bool, tuple[int, int, int]]:
        core = members[key]
        remote, shared = not core[0].has_memory, any(not entry.whole_core for entry in core)
        return any(entry.cpu == first for entry in core), remote, key[0] == home, shared, key

    return [tuple(sorted(entry.cpu for entry in members[key])) for key in sorted(members, key=order)]


def choose_cpus(topology: Sequence[LogicalCpu], count: int) -> tuple[int, ...]:
    """Choose logical CPUs for a cell.

    One of each physical core while there are enough cores, preferably all of one node, one that has memory first; then
    the siblings. All of the host's largest kind, unless it has too few of that.

    Returns:
        `count` CPUs in ascending order, or all there are where the host has fewer.
    """
    kind = best_kind(topology)
    alike = [entry for entry in topology if entry.kind == kind]
    usable = alike if len(alike) >= count else topology
    cores = cores_by_preference(usable)
    nodes = {entry.cpu: entry.node for entry in usable}
    for node in dict.fromkeys(nodes[core[0]] for core in cores):
        local = [core for core in cores if nodes[core[0]] == node]
        if len(local) >= count:
            return tuple(sorted(core[0] for core in local[:count]))
    width = max(len(core) for core in cores)
    ranked = [core[level] for level in range(width) for core in cores if level < len(core)]
    return tuple(sorted(ranked[:count]))
