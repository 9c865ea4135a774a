"""What made cells slow, where the run itself shows it: a quota beside a cpuset of as many CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.formats import listed, ratio, share
from harness.results import CpuMode
from harness.stats.differences import paired_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report.book import Book
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.cell import Measured


def throttling(book: Book, workload: Workload, group: LimitGroup) -> str:
    """Name throttling as the cause for the cells of a quota that are slower than the same ones on whole cores.

    Returns:
        A sentence, or nothing: where the limit is no quota, nothing was throttled, the matrix has no cpuset of as many
        CPUs with the same memory and threads, or the rounds do not prove a cell slower.
    """
    limit = group.limit._replace(cpu_mode=CpuMode.CPUSET)
    beside = next((each for each in workload.groups if each.limit == limit), None)
    if beside is None or group.limit.cpu_mode is not CpuMode.QUOTA:
        return ""
    slowed = list(_slowed(book, group, beside))
    if not slowed:
        return ""
    return f"Throttling is the cause where a cell is slower than under {beside.title}: {listed(slowed)}."


def _slowed(book: Book, group: LimitGroup, beside: LimitGroup) -> Iterator[str]:
    for each in group.ok:
        other = beside.of(each.result.cell.framework)
        times = _times_slower(each, other) if other is not None and _throttled(each) else None
        if times is not None:
            stopped = share(each.stats.throttled_fraction)
            yield f"{book.name(each)} takes {ratio(times, 1.0)} the time, stopped in {stopped} of the periods"


def _throttled(measured: Measured) -> bool:
    return any(doubt.kind == "throttled" for trial in measured.result.counted for doubt in trial.warnings)


def _times_slower(quota: Measured, cpuset: Measured) -> float | None:
    """How many times slower by the rounds of both; `None` where they do not prove it."""
    difference = paired_difference(cpuset.stats.medians_ms, quota.stats.medians_ms)
    if difference is None or difference.interval()[0] <= 1:
        return None
    return difference.ratio
