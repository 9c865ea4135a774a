"""What the machine is: pure judgements of its cores, memory, disk and clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.cores import best_kind, choose_cpus, cores_by_preference
from harness.doctor.checks import NOT_SHOWN, Check, Verdict
from harness.units import GIB, counted, format_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.host import LogicalCpu, ProbeFacts

LEAST_MEMORY: Final = 2 * GIB
"""Less is not enough for the larger frameworks and the harness."""
BUILD_DISK: Final = 8 * GIB
"""What the first build of all images takes at its height."""
LEAST_DISK: Final = 2 * GIB
SLOW_GOVERNORS: Final = ("powersave", "conservative")
QUICK_CLOCKS: Final = ("tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page")
"""Read without a system call."""


def check_machine(facts: ProbeFacts) -> Check:
    """What computes here."""
    virtual = "hypervisor" in facts.cpu_flags
    found = f"{facts.cpu_model}, {facts.architecture}, kernel {facts.kernel}"
    if not virtual:
        return Check(name="machine", verdict=Verdict.GOOD, found=found)
    return Check(
        name="machine",
        verdict=Verdict.NOTE,
        found=f"{found}, a virtual machine: others on its host can slow it down unseen",
        cure="for fine differences a machine of one's own, or a virtual one with dedicated cores",
    )


def check_cores(facts: ProbeFacts) -> Check:
    """How many cores, and which of them a cell gets."""
    topology = facts.topology
    cores = cores_by_preference(topology)
    words = [counted(len(cores), "physical core"), counted(len(topology), "logical CPU")]
    words += [
        text for count in (1, 2) if count <= len(topology) and (text := placement(topology, cores, count))
    ]
    if len(cores) == 1:
        return Check(
            name="cores",
            verdict=Verdict.POOR,
            found="; ".join(words),
            cure="a machine with a core to spare: here the harness and the kernel share it with every cell",
        )
    if any(not entry.whole_core for entry in topology):
        return Check(
            name="cores",
            verdict=Verdict.NOTE,
            found="; ".join((*words, "of some cores only a part belongs to the engine")),
            cure="give the engine whole cores: others may be busy on their siblings",
        )
    verdict = Verdict.NOTE if len(cores) == 2 else Verdict.GOOD
    cure = "more cores than the largest cell, so that harness and kernel have one to themselves"
    return Check(
        name="cores", verdict=verdict, found="; ".join(words), cure="" if verdict is Verdict.GOOD else cure
    )


def placement(topology: Sequence[LogicalCpu], cores: Sequence[tuple[int, ...]], count: int) -> str:
    """Which CPUs a cell of so many gets."""
    chosen = choose_cpus(topology, count)
    used = sum(any(cpu in chosen for cpu in core) for core in cores)
    remarks = ("every core" if used == len(cores) else "", "siblings" if used < count else "")
    remark = " and ".join(filter(None, remarks))
    listed = ", ".join(map(str, chosen))
    return f"a {count}-core cell gets CPU {listed}" + (f" ({remark})" if remark else "")


def check_siblings(facts: ProbeFacts) -> Check:
    """Threads that share a core."""
    cores = cores_by_preference(facts.topology)
    if len(cores) < len(facts.topology):
        return Check(
            name="siblings",
            verdict=Verdict.GOOD,
            found="cores have siblings; cells leave them idle while they can",
        )
    if "hypervisor" in facts.cpu_flags:
        found = "none shown, but on a virtual machine a sibling may belong to somebody else"
        return Check(name="siblings", verdict=Verdict.NOTE, found=found)
    return Check(name="siblings", verdict=Verdict.GOOD, found="none")


def check_kinds(facts: ProbeFacts) -> Check:
    """Whether all cores are alike."""
    kinds = [entry.kind for entry in facts.topology]
    if len(set(kinds)) == 1:
        return Check(name="core kinds", verdict=Verdict.GOOD, found="all cores are alike")
    counts = ", ".join(f"{kinds.count(kind)} CPUs of kind {kind!r}" for kind in dict.fromkeys(kinds))
    return Check(
        name="core kinds",
        verdict=Verdict.NOTE,
        found=f"{counts}; cells get {best_kind(facts.topology)!r}, and quota cells whatever comes",
        cure="keep to cpusets, and to cells no larger than that kind",
    )


def check_nodes(facts: ProbeFacts) -> Check:
    """Memory nodes."""
    nodes = {entry.node for entry in facts.topology}
    if len(nodes) == 1:
        return Check(name="memory nodes", verdict=Verdict.GOOD, found="one")
    largest = max(
        len({(entry.socket, entry.core) for entry in facts.topology if entry.node == node}) for node in nodes
    )
    return Check(
        name="memory nodes",
        verdict=Verdict.GOOD,
        found=f"{len(nodes)}; a cell of up to {counted(largest, 'core')} stays within one",
    )


def check_memory(facts: ProbeFacts) -> Check:
    """Memory that cells can have."""
    total, free = facts.memory_bytes, facts.available_bytes
    if free is None:
        return Check(
            name="memory", verdict=Verdict.NOTE, found=f"{format_memory(total)}; what is free is not shown"
        )
    found = f"{format_memory(total)}, of which {format_memory(free)} are free"
    verdict = Verdict.POOR if free < LEAST_MEMORY else Verdict.NOTE if free < total / 2 else Verdict.GOOD
    cure = "end what holds memory: a cell whose cap is above what is free may be killed for others"
    return Check(name="memory", verdict=verdict, found=found, cure="" if verdict is Verdict.GOOD else cure)


def check_disk(facts: ProbeFacts) -> Check:
    """Disk where the engine keeps its images."""
    free = facts.disk_free_bytes
    found = f"{format_memory(free)} free where the engine keeps its images"
    if free >= BUILD_DISK:
        return Check(name="disk", verdict=Verdict.GOOD, found=found)
    verdict = Verdict.POOR if free < LEAST_DISK else Verdict.NOTE
    cure = f"free some, see `docker system df`: the first build takes about {format_memory(BUILD_DISK)}"
    return Check(name="disk", verdict=verdict, found=found, cure=cure)


def check_governor(facts: ProbeFacts) -> Check:
    """What decides the cores' frequency."""
    governor = facts.governor
    if governor is None:
        return Check(name="governor", verdict=Verdict.NOTE, found=NOT_SHOWN)
    if governor == "performance":
        return Check(name="governor", verdict=Verdict.GOOD, found=governor)
    return Check(
        name="governor",
        verdict=Verdict.POOR if governor in SLOW_GOVERNORS else Verdict.NOTE,
        found=f"{governor}: a core may be slow when a call begins",
        cure="sudo cpupower frequency-set -g performance",
    )


def check_turbo(facts: ProbeFacts) -> Check:
    """Frequencies that last only while the chip is cool."""
    if facts.turbo is None:
        return Check(name="turbo", verdict=Verdict.NOTE, found=NOT_SHOWN)
    if not facts.turbo:
        return Check(name="turbo", verdict=Verdict.GOOD, found="off")
    return Check(
        name="turbo",
        verdict=Verdict.NOTE,
        found="on: speed depends on the temperature and on how many cores are busy",
        cure="for the least spread switch it off in the firmware, or by the kernel's no_turbo or boost file",
    )


def check_clock(facts: ProbeFacts) -> Check:
    """What every latency is read from."""
    source = facts.clock_source
    if source is None:
        return Check(name="clock", verdict=Verdict.NOTE, found=NOT_SHOWN)
    if source in QUICK_CLOCKS:
        return Check(name="clock", verdict=Verdict.GOOD, found=source)
    return Check(
        name="clock",
        verdict=Verdict.POOR,
        found=f"{source}: each reading is a system call or slower, which short calls pay for",
        cure="see why the kernel left tsc: sudo dmesg | grep -i tsc",
    )
