"""From records and the engine's word to a status: one pure function, decided by evidence.

An exit code alone proves nothing: 137 is any SIGKILL. `oom` needs the kernel's own count of kills, or the engine's
flag where the supervisor died too, or the figure that shows thrashing.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.doubts import doubts
from harness.records import (
    UNLIMITED,
    End,
    Limits,
    Output,
    Phase,
    PhaseEnd,
    PhaseStart,
    ProcessView,
    Samples,
    Stop,
    WorkerError,
    every,
    first,
)
from harness.results import CpuMode, Evidence, Status, TypedWarning
from harness.units import KIB, format_duration, format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.container import Outcome
    from harness.records import AnyRecord
    from harness.results import Requested

QUOTA_TOLERANCE: Final = 0.01
KILLED_FROM_OUTSIDE: Final = 128 + signal.SIGKILL
CAP_REACHED: Final = 0.9
"""Of its cap a cgroup has been charged when that cap is why the kernel kills in it; a huge page may not have fitted."""
LARGEST_PAGE: Final = 64 * KIB
"""The kernel rounds a cap down to whole pages, and pages of 64 KiB are the largest in use."""
OF_THE_CELL: Final = frozenset({Status.OOM, Status.TIMEOUT, Status.CRASH, Status.UNSUPPORTED})
"""Endings that are a cell's own, and neither the engine's nor the harness's."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a trial ended, and why we say so."""

    status: Status
    phase: Phase | None
    reason: str
    evidence: Evidence
    limits_enforced: bool
    warnings: tuple[TypedWarning, ...]


def judge(
    records: Sequence[AnyRecord], outcome: Outcome, requested: Requested, *, bad_line: str | None = None
) -> Verdict:
    """Decide how a trial ended.

    Args:
        records: what the container said, in order.
        outcome: how the engine saw it end.
        requested: the limits that were asked for.
        bad_line: why a line of it was no record, if one was not.
    """
    mismatches = tuple(limit_mismatches(first(records, Limits), requested))
    phase = last_phase(records)
    status, reason = ending(records, outcome, requested.memory_bytes, phase, bad_line)
    warnings = [*doubts(records, requested)]
    whole_stream = bad_line is None and not outcome.flooded
    if whole_stream and status in OF_THE_CELL and (output := deciding_output(records)) is not None:
        warnings.append(after_the_decision(records, reason))
        status, reason = judge_output(output)
    if status is Status.OK and mismatches:
        status, reason = Status.LIMITS_NOT_ENFORCED, "; ".join(mismatches)
    return Verdict(
        status=status,
        phase=None if status is Status.OK else phase,
        reason=reason,
        evidence=gather(records, outcome, requested),
        limits_enforced=not mismatches,
        warnings=tuple(warnings),
    )


def ending(
    records: Sequence[AnyRecord],
    outcome: Outcome,
    cap_bytes: int,
    phase: Phase | None,
    bad_line: str | None,
) -> tuple[Status, str]:
    """The status and its reason; the strongest evidence is asked first."""
    end = first(records, End)
    where = place(records, phase)
    found = (
        out_of_memory(end, outcome, cap_bytes, where)
        or stopped_from_outside(outcome, where, bad_line)
        or raised(first(records, WorkerError), where)
    )
    if found is not None:
        return found
    return silent_ending(outcome, where) if end is None else worker_ending(records, end, where)


def place(records: Sequence[AnyRecord], phase: Phase | None) -> str:
    """Where a trial ended, in words; the harness's own work after the steady phase is no part of it."""
    if first(records, ProcessView) is not None:
        return "after its last word"
    if deciding_output(records) is not None:
        return "in the second clock"
    if any(each.name is Phase.STEADY for each in every(records, PhaseEnd)):
        return "in the check of the outputs"
    return f"in {phase}" if phase else "before the first phase"


def out_of_memory(end: End | None, outcome: Outcome, cap_bytes: int, where: str) -> tuple[Status, str] | None:
    """The kernel's count, the supervisor's figure, or the engine's flag where the supervisor died too."""
    if end is None:
        if outcome.oom_flag and outcome.out_of_time_s is None:
            return Status.OOM, f"out of memory {where}, and the supervisor with it"
        return None
    if end.stop is Stop.THRASHING:
        reason = f"thrashing {where}: {format_memory(end.phase_read_bytes)} read from disk"
    elif end.oom_kills and end.signal == signal.SIGKILL:
        reason = f"out of memory {where}"
    else:
        return None
    # The kernel counts every kill in a cgroup, also those for which the whole host, or a group above, ran out.
    peak = end.cgroup_peak_bytes
    if peak is not None and peak < CAP_REACHED * cap_bytes:
        amounts = f"{format_memory(peak)} at the most under a {format_memory(cap_bytes)} cap"
        return Status.HARNESS_ERROR, f"the host, not the cell, ran out of memory {where}: {amounts}"
    return Status.OOM, reason


def stopped_from_outside(outcome: Outcome, where: str, bad_line: str | None) -> tuple[Status, str] | None:
    """What the engine or the harness put an end to."""
    if outcome.out_of_time_s is not None:
        return Status.TIMEOUT, f"out of time {where} after {format_duration(outcome.out_of_time_s)}"
    if outcome.error is not None:
        return Status.HARNESS_ERROR, f"the engine failed {where}: {outcome.error}"
    if outcome.flooded:
        return Status.CRASH, f"more output than may be read {where}"
    if bad_line is not None:
        return Status.CRASH, f"not a record {where}: {bad_line}"
    return None


def raised(error: WorkerError | None, where: str) -> tuple[Status, str] | None:
    """An exception that the worker caught; a framework says with `NotImplementedError` what it cannot do."""
    if error is None:
        return None
    if error.kind == "NotImplementedError":
        return Status.UNSUPPORTED, error.message
    return Status.CRASH, f"{error.kind} {where}: {error.message}"


def silent_ending(outcome: Outcome, where: str) -> tuple[Status, str]:
    """A container whose supervisor did not tell how the worker ended."""
    if outcome.exit_code == 0:  # a supervisor that ended well has spoken: its word was lost on the way
        return Status.HARNESS_ERROR, f"the connection to the container was lost {where}"
    # The kernel lets nobody in a container kill its PID 1: this came from outside, and 137 alone is no OOM.
    if outcome.exit_code == KILLED_FROM_OUTSIDE:
        return Status.HARNESS_ERROR, f"the container was killed from outside {where}"
    return Status.CRASH, f"the container ended {where} without a last word, exit code {outcome.exit_code}"


def worker_ending(records: Sequence[AnyRecord], end: End, where: str) -> tuple[Status, str]:
    """How the worker ended, as its supervisor tells it."""
    if end.stop is Stop.ABANDONED:
        return Status.INTERRUPTED, f"the harness let go {where}"
    if end.signal is not None:
        return Status.CRASH, f"killed by {signal_name(end.signal)} {where}"
    if end.exit_code != 0:
        return Status.CRASH, f"the worker ended {where} with exit code {end.exit_code}"
    output = first(records, Output)
    # The process view is the worker's last record: without it the worker left early, whatever its exit code.
    if output is None or first(records, ProcessView) is None:
        return Status.CRASH, f"the worker ended {where} without a result"
    return judge_output(output)


def after_the_decision(records: Sequence[AnyRecord], reason: str) -> TypedWarning:
    """What a bad ending costs that comes after all that the trial is judged by."""
    if first(records, ProcessView) is not None:
        return TypedWarning(kind="exit_failed", text=f"all figures are there: {reason}")
    return TypedWarning(kind="second_clock_failed", text=f"no core latency: {reason}")


def deciding_output(records: Sequence[AnyRecord]) -> Output | None:
    """The check of the outputs, where with it the trial has all that it is judged by.

    That is: the steady phase ended, its latencies arrived, then the check; no error before.
    """
    output = first(records, Output)
    if output is None:
        return None
    before = records[: records.index(output)]
    steady = any(each.name is Phase.STEADY for each in every(before, PhaseEnd))
    sampled = any(each.is_steady for each in every(before, Samples))
    return output if steady and sampled and first(before, WorkerError) is None else None


def judge_output(output: Output) -> tuple[Status, str]:
    """A fast wrong answer is no result."""
    if output.shapes != output.expected_shapes:
        return Status.INVALID_OUTPUT, f"output shapes {output.shapes}, expected {output.expected_shapes}"
    if not output.finite or output.max_rel_error is None:
        return Status.INVALID_OUTPUT, "an output is not a finite number"
    if output.max_rel_error > output.tolerance:
        return (
            Status.INVALID_OUTPUT,
            f"largest relative error {output.max_rel_error:.3g}, tolerance {output.tolerance:.3g}",
        )
    if output.classified_same != output.classified:
        told = f"the best class is the reference's in {output.classified_same} of {output.classified} rows"
        return Status.INVALID_OUTPUT, told
    return Status.OK, ""


def limit_mismatches(limits: Limits | None, requested: Requested) -> Iterable[str]:
    """What the kernel enforces other than what was asked; nothing where it was never asked to read back."""
    if limits is None:
        yield "the limits in effect were never reported"
        return
    if requested.over_host:
        yield "the cell asks for more than the host has"
    if limits.memory_bytes is None or not 0 <= requested.memory_bytes - limits.memory_bytes < LARGEST_PAGE:
        yield f"memory: asked {format_memory(requested.memory_bytes)}, in effect {limit_text(limits.memory_bytes)}"
    if limits.swap_bytes:
        amount = "any amount" if limits.swap_bytes >= UNLIMITED else format_memory(limits.swap_bytes)
        yield f"swap: {amount} is allowed on top of the cap"
    yield from cpu_mismatches(limits, requested)


def cpu_mismatches(limits: Limits, requested: Requested) -> Iterable[str]:
    """Which CPUs, and how much of them, other than what was asked."""
    if requested.cpu_mode is CpuMode.CPUSET:
        if limits.cpuset != requested.cpuset:
            yield f"cpuset: asked {list(requested.cpuset or ())}, in effect {list(limits.cpuset)}"
        if requested.memory_nodes is not None and limits.memory_nodes != requested.memory_nodes:
            yield f"memory nodes: asked {list(requested.memory_nodes)}, in effect {limits.memory_nodes}"
        if limits.quota_cpus is not None:
            yield f"quota: none was asked for, in effect {limits.quota_cpus} CPUs"
    if requested.cpu_mode is CpuMode.QUOTA:
        asked, found = requested.quota_cpus or 0.0, limits.quota_cpus or 0.0
        if abs(found - asked) > QUOTA_TOLERANCE * asked:
            yield f"quota: asked {asked} CPUs, in effect {limits.quota_cpus or 'no limit'}"


def limit_text(size: int | None) -> str:
    """A memory limit for people."""
    return "no limit" if size is None else format_memory(size)


def gather(records: Sequence[AnyRecord], outcome: Outcome, requested: Requested) -> Evidence:
    """The facts behind the verdict."""
    end, error = first(records, End), first(records, WorkerError)
    ended = list(every(records, PhaseEnd))
    peaks = [record.rss_peak_bytes for record in ended if record.rss_peak_bytes is not None]
    charged = end.cgroup_peak_bytes if end is not None else None
    return Evidence(
        exit_code=end.exit_code if end is not None else outcome.exit_code,
        signal=end.signal if end is not None else None,
        oom_kills=end.oom_kills if end is not None else None,
        engine_oom_flag=outcome.oom_flag,
        peak_bytes=charged if charged is not None else max(peaks, default=None),
        cap_bytes=requested.memory_bytes,
        read_bytes=end.phase_read_bytes if end is not None else None,
        error=error.traceback if error is not None else None,
        log_tail=outcome.log_tail,
    )


def last_phase(records: Sequence[AnyRecord]) -> Phase | None:
    """The phase that was running, or the last that ran."""
    started = [start.name for start in every(records, PhaseStart)]
    return started[-1] if started else None


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
