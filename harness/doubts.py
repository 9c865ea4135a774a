"""Typed warnings: what makes a number of a trial doubtful, said beside it. Pure."""

from __future__ import annotations

import signal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.records import (
    End,
    Framework,
    Growth,
    Limits,
    PageCache,
    PhaseEnd,
    Warmup,
    every,
    first,
)
from harness.results import CpuMode, TypedWarning
from harness.stats.growth import memory_slope
from harness.stats.samples import busy_threads, steady_end, steady_latencies_ns
from harness.units import MIB, counted, format_memory, in_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.records import AnyRecord
    from harness.results import Requested

DISTURBED_RATIO: Final = 2.0
"""A mean this many times the median: a few calls waited for something that was not the framework's work."""
SHARED_PAGES_SLACK: Final = 24 * MIB
"""What cannot be dropped: the interpreter, which the supervisor maps too, and libraries too small to be listed.
Measured on the spam classifier: 7 MiB (ONNX Runtime) to 17 MiB (TensorFlow), the same under 256 MiB and 2 GiB."""
THROTTLED_SHARE: Final = 0.01
"""Of the scheduler's periods: below it the quota was met by chance."""
STEADY_PARTS: Final = 3
STEADY_TOLERANCE: Final = 0.03
"""How much faster each part of the steady phase may be than the one before."""
CHANCE: Final = 0.01
"""How often calls that do not depend on when they were made may look as if they fell."""
FIGURES_OF_FILES: Final = {
    "cpu.stat": "what a quota held back", "cpuacct.usage": "the CPU time of the cgroup",
    "memory.peak": "the peak of the cgroup", "memory.max_usage_in_bytes": "the peak of the cgroup",
    "memory.stat": "what the cgroup holds", "memory.events": "the kernel's count of OOM kills",
    "memory.oom_control": "the kernel's count of OOM kills",
}  # fmt: skip
"""What comes from a cgroup's file, where its absence leaves a figure empty."""


def doubts(records: Sequence[AnyRecord], requested: Requested) -> Iterator[TypedWarning]:
    """All doubts about one trial.

    Args:
        records: what its container said.
        requested: the limits that it ran under.
    """
    limits, end = first(records, Limits), first(records, End)
    if limits is not None:
        yield from unknown_figures(limits)
    dropped = first(records, PageCache)
    if dropped is not None and dropped.mode == "cold":
        yield from shared_pages(records)
    yield from unsettled(records)
    yield from disturbances(records)
    yield from thread_mismatches(records)
    yield from too_many_threads(records, requested)
    yield from throttling(records, requested)
    yield from growing_memory(records)
    if end is not None and end.oom_kills and end.signal != signal.SIGKILL:
        yield TypedWarning(
            kind="oom_kill_survived", text=f"the kernel killed {end.oom_kills} other process(es)"
        )


def unknown_figures(limits: Limits) -> Iterator[TypedWarning]:
    """What this kernel does not tell, and which figures are therefore empty."""
    if limits.swap_bytes is None:
        yield TypedWarning(
            kind="swap_unknown", text="this kernel does not account swap; swap may hide the cap"
        )
    for file in limits.missing_files:
        figure = FIGURES_OF_FILES.get(file.rpartition("/")[2])
        if figure is not None:
            yield TypedWarning(kind="figure_unknown", text=f"this kernel has no {file}: {figure} is unknown")


def shared_pages(records: Sequence[AnyRecord]) -> Iterable[TypedWarning]:
    """A worker that maps more file pages than its cgroup has mapped pages charged uses somebody else's."""
    phases = list(every(records, PhaseEnd))
    excess = [
        phase.rss_file_bytes - phase.cgroup_mapped_bytes
        for phase in phases
        if phase.rss_file_bytes is not None and phase.cgroup_mapped_bytes is not None
    ]
    if excess and max(excess) > SHARED_PAGES_SLACK:
        text = f"{format_memory(max(excess))} of mapped files are charged elsewhere: the cap did not bind on them"
        yield TypedWarning(kind="page_cache_shared", text=text)


def unsettled(records: Sequence[AnyRecord]) -> Iterator[TypedWarning]:
    """A trial that became faster and faster: its figure is of no steady state."""
    warmup, latencies = first(records, Warmup), steady_latencies_ns(records)
    if warmup is not None and not warmup.settled:
        calls = sum(warmup.window_calls)
        yield TypedWarning(
            kind="not_settled",
            text=f"calls still became faster after {calls} calls of warm-up, when its time was up",
        )
    elif latencies.size >= STEADY_PARTS:
        medians = [float(np.median(part)) for part in np.array_split(latencies, STEADY_PARTS)]
        # One step down is the host's noise, which has two or three speeds; whatever still warms up falls and falls.
        steps = all(later < (1 - STEADY_TOLERANCE) * earlier for earlier, later in pairwise(medians))
        if steps and _falls(latencies):
            fall = 1 - medians[-1] / medians[0]
            yield TypedWarning(
                kind="not_settled",
                text="each third of the steady phase was faster than the one before; the last was "
                f"{in_percent(fall)} faster than the first",
            )


def _falls(latencies: NDArray[np.float64]) -> bool:
    """Whether calls became faster by more than chance explains: Kendall's rank correlation with their order.

    Thirds of a few calls fall by chance alone: with 10 calls that spread by 10 % in one trial of seventeen.
    """
    # Only here: scipy's statistics take longer to import than a command to start, and are hardly ever asked.
    from scipy.stats import kendalltau  # noqa: PLC0415

    trend = kendalltau(np.arange(latencies.size), latencies, alternative="less")
    return bool(trend.pvalue < CHANCE)


def disturbances(records: Sequence[AnyRecord]) -> Iterator[TypedWarning]:
    """A steady phase whose mean is far from its median was shared with something else."""
    latencies = steady_latencies_ns(records)
    if not latencies.size:
        return
    mean, median = float(latencies.mean()), float(np.median(latencies))
    if mean > DISTURBED_RATIO * median > 0:
        text = (
            f"the mean call took {mean / median:.1f} times the median, the longest "
            f"{float(latencies.max()) / 1e6:.3g} ms: something else used this cell's cores, or a quota stopped it"
        )
        yield TypedWarning(kind="disturbed", text=text)


def thread_mismatches(records: Sequence[AnyRecord]) -> Iterator[TypedWarning]:
    """What a framework was told, what it says it uses, and what the scheduler saw."""
    said, busy = first(records, Framework), busy_threads(records)
    if said is None or said.threads_told is None:
        return
    told = said.threads_told
    if said.threads_reported is not None and said.threads_reported != told:
        yield TypedWarning(
            kind="threads_differ",
            text=f"told to use {counted(told, 'thread')}, it says {said.threads_reported}",
        )
    if busy is not None and busy > told:
        yield TypedWarning(
            kind="threads_exceeded", text=f"told to use {counted(told, 'thread')}, {busy} computed"
        )
    if busy is not None and busy < told:
        yield TypedWarning(
            kind="threads_idle",
            text=f"told to use {counted(told, 'thread')}, {busy} computed: the rest is no help here",
        )


def too_many_threads(records: Sequence[AnyRecord], requested: Requested) -> Iterator[TypedWarning]:
    """More threads that compute than CPUs, because the matrix told so or left the choice to the framework."""
    busy = busy_threads(records)
    cpus = requested.quota_cpus or len(requested.cpuset or ())
    said = first(records, Framework)
    asked_for = said is not None and (said.threads_told is None or said.threads_told > max(1, cpus))
    if busy is not None and asked_for and busy > max(1, cpus):
        yield TypedWarning(
            kind="oversubscribed",
            text=f"{counted(busy, 'thread')} computed on {cpus:g} CPU{'' if cpus == 1 else 's'}",
        )


def throttling(records: Sequence[AnyRecord], requested: Requested) -> Iterator[TypedWarning]:
    """A quota that stopped the cell while it was measured."""
    steady = steady_end(records)
    if steady is None or requested.cpu_mode is not CpuMode.QUOTA or not steady.periods or not steady.wall_ns:
        return
    share = (steady.throttled_periods or 0) / steady.periods
    if share > THROTTLED_SHARE:
        lost = (steady.throttled_ns or 0) / steady.wall_ns
        yield TypedWarning(
            kind="throttled",
            text=f"the quota stopped it in {in_percent(share)} of the scheduler's periods, for {lost:.2g} s a second",
        )


def growing_memory(records: Sequence[AnyRecord]) -> Iterator[TypedWarning]:
    """Memory that grows with the calls ends in an out-of-memory some day."""
    growth = first(records, Growth)
    slope = memory_slope(growth) if growth is not None else None
    if slope is not None and slope.grows:
        text = (
            f"anonymous memory grew by {format_memory(round(slope.added_bytes))} while it was measured, "
            f"{slope.bytes_per_call:.3g} bytes a call"
        )
        yield TypedWarning(kind="memory_grows", text=text)
