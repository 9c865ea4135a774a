"""The aspects of a workload: latency, CPU, throttling under a quota, memory and start-up, each as charts and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.aspects.cpu import cpu
from harness.report.aspects.latency import latency
from harness.report.aspects.memory import memory
from harness.report.aspects.start import start
from harness.report.aspects.throttling import throttling

if TYPE_CHECKING:
    from harness.report.aspects.common import Aspect
    from harness.report.book import Book
    from harness.report.grouping import Workload


def aspects(book: Book, workload: Workload) -> tuple[Aspect, ...]:
    """All aspects of a workload, in the order of the page; throttling only where a quota could stop it."""
    found = (build(book, workload) for build in (latency, cpu, throttling, memory, start))
    return tuple(aspect for aspect in found if aspect is not None)
