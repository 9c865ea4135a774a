"""How quiet the host is: pure judgements of two readings of the kernel's counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.doctor.checks import NOT_SHOWN, Check, Verdict, graded
from harness.fitness import FOREIGN_SHARE, STOLEN_SHARE
from harness.units import counted
from harness.window import Span

if TYPE_CHECKING:
    from harness.records import Conditions

QUIET_SHARE: Final = 0.05
STOLEN_LITTLE: Final = 0.01
PRESSED_SHARE: Final = 0.2
FEWER: Final = "end what else runs on the host, or wait for it"


def check_load(start: Conditions, end: Conditions, cpus: int) -> Check:
    """What else computes.

    Args:
        start: at the beginning of a moment in which this project did nothing.
        end: at its end.
        cpus: how many logical CPUs there are.
    """
    busy = Span(start=start, end=end).share("busy_ns", cpus)
    load = "" if start.load is None else f"load {start.load:.2f} in the last minute"
    # The reader itself is running when it counts.
    others = None if start.runnable is None else max(0, start.runnable - 1)
    tasks = "" if others is None else f"{counted(others, 'task')} runnable"
    if busy is None:
        found = ", ".join(filter(None, (NOT_SHOWN, load, tasks)))
        return Check(name="load", verdict=Verdict.NOTE, found=found)
    verdict = graded(busy, good=QUIET_SHARE, poor=FOREIGN_SHARE)
    found = ", ".join(filter(None, (f"others took {busy:.1%} of the CPUs just now", load, tasks)))
    return Check(name="load", verdict=verdict, found=found, cure="" if verdict is Verdict.GOOD else FEWER)


def check_pressure(start: Conditions, end: Conditions) -> Check:
    """Whether tasks wait for something (PSI); the arguments are those of `check_load`."""
    span = Span(start=start, end=end)
    shares = {
        "CPU": span.share("cpu_pressure_ns"),
        "memory": span.share("memory_pressure_ns"),
        "disk": span.share("io_pressure_ns"),
    }
    known = {name: value for name, value in shares.items() if value is not None}
    if not known:
        return Check(
            name="pressure",
            verdict=Verdict.NOTE,
            found="the kernel does not account it (PSI): a trial cannot say that others were waiting",
            cure="boot with psi=1",
        )
    verdict = graded(max(known.values()), good=QUIET_SHARE, poor=PRESSED_SHARE)
    waited = ", ".join(f"for {name} {value:.1%}" for name, value in known.items())
    return Check(
        name="pressure",
        verdict=verdict,
        found=f"share of time in which some task waited: {waited}",
        cure="" if verdict is Verdict.GOOD else FEWER,
    )


def check_steal(start: Conditions, end: Conditions) -> Check:
    """What a hypervisor took while the noise was measured, which began and ended with these readings."""
    stolen = Span(start=start, end=end).stolen()
    if stolen is None:
        return Check(name="steal", verdict=Verdict.NOTE, found=NOT_SHOWN)
    verdict = graded(stolen, good=STOLEN_LITTLE, poor=STOLEN_SHARE)
    return Check(
        name="steal",
        verdict=verdict,
        found=f"the hypervisor gave others {stolen:.1%} of the time that CPUs wanted to run while noise was measured",
        cure="" if verdict is Verdict.GOOD else "a dedicated host, or one with fewer neighbours",
    )


def check_heat(start: Conditions, end: Conditions) -> Check:
    """Slowed down for the temperature; the arguments are those of `check_load`, or readings further apart."""
    before, after = start.throttle_events, end.throttle_events
    if before is None or after is None:
        return Check(name="heat", verdict=Verdict.NOTE, found=NOT_SHOWN)
    cure = "cool it better, or switch turbo off"
    if after > before:
        found = f"slowed down {counted(after - before, 'time')} for the temperature during this examination"
        return Check(name="heat", verdict=Verdict.POOR, found=found, cure=cure)
    if after:
        found = f"slowed down {counted(after, 'time')} for the temperature since the host started, not now"
        return Check(name="heat", verdict=Verdict.NOTE, found=found, cure=cure)
    return Check(name="heat", verdict=Verdict.GOOD, found="never slowed down for the temperature")


def check_neighbours(running: int) -> Check:
    """Containers that are not of this project."""
    if not running:
        return Check(
            name="neighbours", verdict=Verdict.GOOD, found="no other container is running on the engine"
        )
    return Check(
        name="neighbours",
        verdict=Verdict.NOTE,
        found=f"{counted(running, 'other container')} running on the engine",
        cure="stop those that need not run: docker ps",
    )
