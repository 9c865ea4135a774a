"""What a quota costs, where the run itself shows it: beside a cpuset of as many CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.formats import listed, ratio, share
from harness.results import CpuMode
from harness.stats.differences import counts, holm, paired_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report.book import Book
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.cell import Measured


def throttling(book: Book, workload: Workload, group: LimitGroup) -> str:
    """Name the cells of a quota that were throttled and are proved slower than the same ones on whole cores.

    Returns:
        A sentence, or nothing: where the limit is no quota, nothing was throttled, the matrix has no cpuset of as many
        CPUs with the same memory and threads, or the rounds do not prove a cell slower (corrected for their number, and
        above the A/A floors of both limits).
    """
    beside = workload.on_whole_cores(group.limit)
    if beside is None or group.limit.cpu_mode is not CpuMode.QUOTA:
        return ""
    slowed = list(_slowed(book, group, beside))
    if not slowed:
        return ""
    return f"Slower than under {beside.title}, and throttled meanwhile: {listed(slowed)}."


def _slowed(book: Book, group: LimitGroup, beside: LimitGroup) -> Iterator[str]:
    found = [
        (each, difference)
        for each in group.ok
        if _throttled(each)
        if (other := beside.of(each.result.cell.framework)) is not None
        if (difference := paired_difference(other.stats.medians_ms, each.stats.medians_ms)) is not None
    ]
    least = book.least((group, beside))
    adjusted = holm([difference.p_value for _, difference in found])
    for (each, difference), p_value in zip(found, adjusted, strict=True):
        if difference.log_ratio > 0 and counts(difference, p_value, least):
            stopped = share(each.stats.throttled_fraction)
            times = ratio(difference.ratio, 1.0)
            yield f"{book.name(each)} takes {times} the time, stopped in {stopped} of the periods"


def _throttled(measured: Measured) -> bool:
    return any(doubt.kind == "throttled" for trial in measured.result.counted for doubt in trial.warnings)
