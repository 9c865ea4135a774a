"""Which trial runs when, and on which cores: pure functions of the cells, the host's topology and the seed."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.results import Cell, CpuMode, Requested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.host import LogicalCpu


@dataclass(frozen=True, kw_only=True)
class ScheduledTrial:
    """One trial to run: the `index`-th of its cell, the `order`-th of the run."""

    cell: Cell
    index: int
    order: int
    requested: Requested


def make_schedule(
    cells: Sequence[Cell],
    *,
    trials: int,
    seed: int,
    topology: Sequence[LogicalCpu],
    memory_bytes: int,
) -> tuple[ScheduledTrial, ...]:
    """Interleave the cells' trials in a seeded, balanced order.

    A run is `trials` rounds, and each round holds every cell once. The cells are dealt into as many blocks as there
    are rounds, and round `r` begins with block `r`: each cell stands once in every part of a round, so a drift of
    the host over a round hits all cells alike. Within a block the order is drawn anew in every round, so no cell
    always follows the same neighbour.

    Args:
        cells: the cells to measure, in the plan's order.
        trials: trials per cell.
        seed: of the order; the same seed gives the same schedule.
        topology: the host's logical CPUs.
        memory_bytes: the host's memory.
    """
    source = random.Random(seed)  # noqa: S311 - an order, not a secret
    shuffled = source.sample(list(cells), len(cells))
    blocks = [shuffled[start::trials] for start in range(trials)]
    order: list[tuple[Cell, int]] = []
    for index in range(trials):
        for block in blocks[index:] + blocks[:index]:
            order += [(cell, index) for cell in source.sample(block, len(block))]
    return tuple(
        ScheduledTrial(
            cell=cell,
            index=index,
            order=position,
            requested=request_limits(cell, topology=topology, memory_bytes=memory_bytes),
        )
        for position, (cell, index) in enumerate(order)
    )


def request_limits(cell: Cell, *, topology: Sequence[LogicalCpu], memory_bytes: int) -> Requested:
    """Turn a cell's limits into what is asked of the engine on this host."""
    cores = cores_by_preference(topology)
    over_host = cell.cpus > len(topology) or cell.memory_bytes > memory_bytes
    if cell.cpu_mode is CpuMode.QUOTA:
        return Requested(
            cpu_mode=CpuMode.QUOTA,
            cpuset=None,
            quota_cpus=cell.cpus,
            memory_bytes=cell.memory_bytes,
            uses_all_cores=cell.cpus > len(cores) - 1,
            smt=False,
            over_host=over_host,
        )
    cpuset = choose_cpus(topology, int(cell.cpus))
    return Requested(
        cpu_mode=CpuMode.CPUSET,
        cpuset=cpuset,
        quota_cpus=None,
        memory_bytes=cell.memory_bytes,
        uses_all_cores=all(any(cpu in cpuset for cpu in core) for core in cores),
        smt=len(cpuset) > len(cores),
        over_host=over_host,
    )


def cores_by_preference(topology: Sequence[LogicalCpu]) -> list[tuple[int, ...]]:
    """The physical cores, each as its logical CPUs in ascending order, the most preferred first.

    Cores of one NUMA node stand together, and the core that holds the host's first CPU stands last of all, because
    the kernel's own work and most interrupts land there.
    """
    siblings: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for entry in topology:
        siblings[entry.node, entry.socket, entry.core].append(entry.cpu)
    first = min(entry.cpu for entry in topology)
    home = next(entry.node for entry in topology if entry.cpu == first)
    # Other nodes first where there are any: the node of CPU 0 comes last as a whole, and CPU 0's core last in it.
    keys = sorted(siblings, key=lambda key: (key[0] == home, first in siblings[key], key))
    return [tuple(sorted(siblings[key])) for key in keys]


def choose_cpus(topology: Sequence[LogicalCpu], count: int) -> tuple[int, ...]:
    """Choose logical CPUs for a cell.

    One of each physical core while there are enough cores, preferably all of one NUMA node; then the siblings.

    Returns:
        `count` CPUs in ascending order, or all there are where the host has fewer.
    """
    cores = cores_by_preference(topology)
    nodes = {entry.cpu: entry.node for entry in topology}
    for node in dict.fromkeys(nodes[core[0]] for core in cores):
        local = [core for core in cores if nodes[core[0]] == node]
        if len(local) >= count:
            return tuple(sorted(core[0] for core in local[:count]))
    width = max(len(core) for core in cores)
    ranked = [core[level] for level in range(width) for core in cores if level < len(core)]
    return tuple(sorted(ranked[:count]))
