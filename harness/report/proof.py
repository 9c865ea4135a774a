"""Limits asked against limits in effect, threads told against threads seen, and every typed warning."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.records import UNLIMITED, Framework, Limits, Phase, PhaseEnd
from harness.report.formats import UNKNOWN, clip, core_list, counted, distinct, percent
from harness.results import CpuMode
from harness.stats import started
from harness.units import format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.grouping import Workload
    from harness.results import Requested, Trial
    from harness.stats import Measured


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
    """Told, reported by the framework, seen by the kernel."""
    throttled: str
    """Empty without a quota."""
    labels: str


@dataclass(frozen=True)
class Badge:
    """Whether all limits of a run are proved, in a few words."""

    text: str
    kind: str


@dataclass(frozen=True)
class CellWarning:
    """A typed doubt about a cell's figures."""

    cell_id: str
    kind: str
    text: str
    trials: str


def proofs(workloads: Iterable[Workload]) -> tuple[Proof, ...]:
    """The limits of every cell."""
    return tuple(_proof(each) for workload in workloads for each in workload.cells)


def badge(workloads: Iterable[Workload]) -> Badge:
    """Sum up the proofs of a run."""
    trials = [trial for workload in workloads for each in workload.cells for trial in each.result.trials]
    ran = [trial for trial in trials if started(trial)]
    proved = sum(trial.limits_enforced for trial in ran)
    if not ran:
        return Badge("No trial started, so no limit is proved", "idle")
    share = (
        f"all {counted(proved, 'trial')}"
        if proved == len(ran)
        else f"{proved:,} of {counted(len(ran), 'trial')}"
    )
    missing = len(trials) - len(ran)
    rest = f" that started; {missing:,} never started" if missing else ""
    return Badge(f"Limits proved in {share}{rest}", "proved" if proved == len(ran) else "broken")


def warnings(workloads: Iterable[Workload]) -> tuple[CellWarning, ...]:
    """Every typed warning of every cell, once, with the number of trials that carry it."""
    found = []
    for each in (each for workload in workloads for each in workload.cells):
        trials = each.result.trials
        doubts = Counter((doubt.kind, doubt.text) for trial in trials for doubt in trial.warnings)
        found += [
            CellWarning(
                each.result.cell_id, clip(kind.replace("_", " ")), clip(text), f"{count} of {len(trials)}"
            )
            for (kind, text), count in doubts.items()
        ]
    return tuple(found)


def _proof(measured: Measured) -> Proof:
    trials = measured.result.trials
    limits = [found for trial in trials if (found := trial.find(Limits)) is not None]
    enforced, throttled = measured.stats.limits_enforced, measured.stats.throttled_fraction
    verdict, kind = {
        True: ("proved", "proved"),
        False: ("not proved", "broken"),
        None: ("not started", "idle"),
    }[enforced]
    return Proof(
        cell_id=measured.result.cell_id,
        ok=measured.ok,
        verdict=verdict,
        kind=kind,
        cpus_asked=distinct(_cpus_asked(trial.requested) for trial in trials),
        cpus_found=distinct(_cpus_found(found) for found in limits),
        memory_asked=distinct(format_memory(trial.requested.memory_bytes) for trial in trials),
        memory_found=distinct(
            "no limit" if found.memory_bytes is None else format_memory(found.memory_bytes)
            for found in limits
        ),
        swap=distinct(_swap(found) for found in limits),
        threads=distinct(_threads(trial) for trial in trials if trial.find(Framework)),
        throttled="" if throttled is None else percent(throttled),
        labels=", ".join(dict.fromkeys(label for trial in trials for label in _labels(trial.requested))),
    )


def _cpus_asked(requested: Requested) -> str:
    if requested.cpu_mode is CpuMode.QUOTA:
        return f"quota {requested.quota_cpus:g}" if requested.quota_cpus else UNKNOWN
    return f"cpuset {core_list(requested.cpuset)}"


def _cpus_found(limits: Limits) -> str:
    if limits.quota_cpus is not None:
        return f"quota {limits.quota_cpus:g}"
    return f"cpuset {core_list(limits.cpuset)}"


def _swap(found: Limits) -> str:
    if found.swap_bytes is None:
        return "not counted"
    return "unlimited" if found.swap_bytes >= UNLIMITED else format_memory(found.swap_bytes)


def _threads(trial: Trial) -> str:
    said = trial.find(Framework)
    told = str(said.threads_told) if said else UNKNOWN
    reported = str(said.threads_reported) if said and said.threads_reported is not None else UNKNOWN
    steady = (end.threads for end in trial.all(PhaseEnd) if end.name is Phase.STEADY)
    seen = next(steady, None)
    return f"{told} / {reported} / {UNKNOWN if seen is None else seen}"


def _labels(requested: Requested) -> Sequence[str]:
    marks = (
        (requested.uses_all_cores, "all cores"),
        (requested.smt, "sibling threads"),
        (requested.over_host, "larger than the host"),
    )
    return [label for applies, label in marks if applies]
