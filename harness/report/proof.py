"""Limits asked against limits in effect, and threads told against threads that computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harness.records import UNLIMITED, Framework, Limits, Threads
from harness.report.formats import UNKNOWN, core_list, distinct
from harness.results import CpuMode
from harness.stats.cell import started
from harness.stats.samples import busy_threads, steady_end
from harness.units import counted, format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.grouping import Workload
    from harness.results import Requested, Trial
    from harness.stats.cell import Measured


@dataclass(frozen=True)
class Proof:
    """One cell's limits and threads; where its trials differ, each value stands once."""

    cell_id: str
    ok: bool
    verdict: str
    kind: str
    """`proved`, `broken` or `idle`."""
    cpus_asked: str
    cpus_found: str
    memory_asked: str
    memory_found: str
    swap: str
    threads: str
    """Told, reported by the framework, computed in the steady phase, alive at its end."""
    labels: str


class Tally(NamedTuple):
    """How many trials there are, how many of them started, and in how many of those the limits are proved."""

    trials: int
    ran: int
    proved: int


@dataclass(frozen=True)
class Badge:
    """Whether all limits of a run are proved, in a few words."""

    text: str
    kind: str


def proofs(workloads: Iterable[Workload]) -> tuple[Proof, ...]:
    """The limits of every cell."""
    return tuple(_proof(each) for workload in workloads for each in workload.cells)


def tally(workloads: Iterable[Workload]) -> Tally:
    """Count the proofs of some workloads, over the trials that count."""
    trials = [trial for workload in workloads for each in workload.cells for trial in each.result.counted]
    ran = [trial for trial in trials if started(trial)]
    return Tally(len(trials), len(ran), sum(trial.limits_enforced for trial in ran))


def badge(of: Tally) -> Badge:
    """Sum up the proofs of a run."""
    if not of.ran:
        return Badge("No trial started, so no limit is proved", "idle")
    whole = of.proved == of.ran
    share = f"all {counted(of.proved, 'trial')}" if whole else f"{of.proved:,} of {counted(of.ran, 'trial')}"
    missing = of.trials - of.ran
    rest = f" that started; {missing:,} never started" if missing else ""
    return Badge(f"Limits proved in {share}{rest}", "proved" if whole else "broken")


def _proof(measured: Measured) -> Proof:
    trials = measured.result.counted
    limits = [found for trial in trials if (found := trial.find(Limits)) is not None]
    verdict, kind = {
        True: ("proved", "proved"),
        False: ("not proved", "broken"),
        None: ("not started", "idle"),
    }[measured.stats.limits_enforced]
    return Proof(
        cell_id=measured.result.cell_id,
        ok=measured.ok,
        verdict=verdict,
        kind=kind,
        cpus_asked=distinct(cpus_asked(trial.requested) for trial in trials),
        cpus_found=distinct(cpus_found(found) for found in limits),
        memory_asked=distinct(format_memory(trial.requested.memory_bytes) for trial in trials),
        memory_found=distinct(memory_found(found) for found in limits),
        swap=distinct(swap_found(found) for found in limits),
        threads=threads_of(trials),
        labels=", ".join(dict.fromkeys(label for trial in trials for label in labels_of(trial.requested))),
    )


def cpus_asked(requested: Requested) -> str:
    """The CPUs that were asked of the engine."""
    if requested.cpu_mode is CpuMode.QUOTA:
        return f"quota {requested.quota_cpus:g}" if requested.quota_cpus else UNKNOWN
    return f"cpuset {core_list(requested.cpuset)}"


def cpus_found(limits: Limits) -> str:
    """The CPUs that a trial found it may use."""
    if limits.quota_cpus is not None:
        return f"quota {limits.quota_cpus:g}"
    return f"cpuset {core_list(limits.cpuset)}"


def memory_found(limits: Limits) -> str:
    """The cap that a trial found."""
    return "no limit" if limits.memory_bytes is None else format_memory(limits.memory_bytes)


def swap_found(found: Limits) -> str:
    """The swap that a trial found it may use on top."""
    if found.swap_bytes is None:
        return "not counted"
    return "unlimited" if found.swap_bytes >= UNLIMITED else format_memory(found.swap_bytes)


def threads_of(trials: Sequence[Trial]) -> str:
    """Told, reported, computed and alive, each over the trials that got as far."""
    said = [found for trial in trials if (found := trial.find(Framework)) is not None]
    if not said:
        return UNKNOWN
    told = distinct("default" if each.threads_told is None else str(each.threads_told) for each in said)
    reported = _range(each.threads_reported for each in said)
    return f"{told} / {reported} / {_range(map(_computed, trials))} / {_range(map(_alive, trials))}"


def _computed(trial: Trial) -> int | None:
    return busy_threads(trial.records)


def _alive(trial: Trial) -> int | None:
    """Threads at the end of the steady phase."""
    listed = trial.find(Threads)
    if listed is not None and listed.total is not None:
        return listed.total
    steady = steady_end(trial.records)
    return None if steady is None else steady.threads


def _range(counts: Iterable[int | None]) -> str:
    known = sorted({count for count in counts if count is not None})
    if not known:
        return UNKNOWN
    return str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"


def labels_of(requested: Requested) -> Sequence[str]:
    """What else is to be said of the CPUs that were asked for."""
    marks = (
        (requested.uses_all_cores, "all cores"),
        (requested.smt, "sibling threads"),
        (requested.over_host, "larger than the host"),
    )
    return [label for applies, label in marks if applies]
