"""Whether the host was fit to measure on: what spoils a trial. Pure.

A trial is spoiled by what the host did while it was measured, and never by its own figures: throwing away what looks
odd would be choosing the result.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.results import CpuMode, Status, TypedWarning
from harness.units import in_percent
from harness.window import steady_window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.records import AnyRecord
    from harness.results import ReferenceProbe, Requested, Trial

STOLEN_SHARE: Final = 0.05
"""Of the time that the cell's CPUs want to run, which the hypervisor may give to others. Under a quota these are all of
the host's: beside others nobody knows who lost it, and the cell is taken to have lost as they did."""
FOREIGN_SHARE: Final = 0.15
"""Of the time of its CPUs that others may take; the kernel counts in ticks, which look like some percent."""
PROBE_MOVE: Final = 0.15
"""By how much the machine may change its speed from the probe before a trial to that after. On a shared machine 95 % of
neighbouring probes were within 0.035 of each other on one core and within 0.11 on two (docs/measuring.md)."""


def spoilers(records: Sequence[AnyRecord], requested: Requested) -> Iterator[TypedWarning]:
    """What the host did during a trial's steady phase that makes its figures worthless.

    Args:
        records: what its container said.
        requested: the limits that it ran under.
    """
    window = steady_window(records, requested)
    if window is None:
        return
    if (stolen := window.stolen() or 0.0) > STOLEN_SHARE:
        yield TypedWarning(kind="stolen", text=_stolen_text(stolen, requested))
    if (foreign := window.foreign() or 0.0) > FOREIGN_SHARE:
        yield TypedWarning(
            kind="foreign_load", text=f"others took {in_percent(foreign)} of the time of its CPUs"
        )
    if swapped := window.grown("swapped_pages"):
        yield TypedWarning(kind="swapping", text=f"the host swapped {swapped} pages in or out")
    if events := window.grown("throttle_events"):
        yield TypedWarning(
            kind="too_hot", text=f"its CPUs were slowed down {events} times for their temperature"
        )


def _stolen_text(share: float, requested: Requested) -> str:
    whose = "its CPUs" if requested.cpu_mode is CpuMode.CPUSET else "the host's CPUs, which it shares,"
    return f"the hypervisor gave others {in_percent(share)} of the time that {whose} wanted to run"


def probe_moved(trial: Trial, probes: Mapping[int, ReferenceProbe]) -> Iterator[TypedWarning]:
    """Whether the machine changed its speed around a trial.

    Args:
        trial: a finished trial.
        probes: all probes of its run, by number.
    """
    before = probes.get(trial.probe) if trial.probe is not None else None
    after = next_probe(before, probes) if before is not None else None
    if before is None or after is None:
        return
    ratio = machine_speed(after) / machine_speed(before)
    if abs(math.log(ratio)) > math.log(1 + PROBE_MOVE):
        yield TypedWarning(
            kind="probe_moved",
            text=f"the reference probe ran at {ratio:.2f} times its speed after the trial's block, against before",
        )


def next_probe(before: ReferenceProbe, probes: Mapping[int, ReferenceProbe]) -> ReferenceProbe | None:
    """The probe that followed on the same CPUs in the same session: of another one's machine it says nothing."""
    later = (
        probe
        for number, probe in sorted(probes.items())
        if number > before.number
        and probe.session == before.session
        and same_cpus(probe.requested, before.requested)
    )
    return next(later, None)


def same_cpus(one: Requested, other: Requested) -> bool:
    """Whether two ran on the same CPUs, or under the same quota."""
    return (one.cpuset, one.quota_cpus) == (other.cpuset, other.quota_cpus)


def machine_speed(probe: ReferenceProbe) -> float:
    """Multiply-adds a second of a probe's matrix product, by its median repetition."""
    return probe.multiply_adds / float(np.median(probe.matmul_ns)) * 1e9


def copy_speed(probe: ReferenceProbe) -> float:
    """Bytes a second of a probe's copy, by its median repetition."""
    return probe.copy_bytes / float(np.median(probe.copy_ns)) * 1e9


def judged(trials: Sequence[Trial], probes: Mapping[int, ReferenceProbe]) -> tuple[Trial, ...]:
    """The trials with what the probes around them say among their reasons to be spoiled."""
    return tuple(
        trial.model_copy(update={"spoiled": (*trial.spoiled, *probe_moved(trial, probes))})
        for trial in trials
    )


def is_spoiled(trial: Trial) -> bool:
    """Whether a trial is worth repeating: it ended well, and the host spoiled it."""
    return trial.status is Status.OK and bool(trial.spoiled)
