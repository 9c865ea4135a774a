"""Which threads of this process burn CPU: their run time from the scheduler, read before and after."""

from __future__ import annotations

import os

from runner.cgroup import read_text

TASKS = "/proc/self/task"
MOST = 1024
"""Threads that are named one by one, the busiest first: as many as a container may have."""


def run_times(tasks: str = TASKS) -> dict[str, int] | None:
    """CPU time of every living thread so far, nanoseconds by id; `None` where the kernel does not tell."""
    times = {}
    for task in os.listdir(tasks):
        words = (read_text(tasks, task, "schedstat") or "").split()
        if words:  # a thread may have ended since the listing
            times[task] = int(words[0])
    return times if any(times.values()) else None  # without accounting the kernel says 0 of every thread


def threads_record(before: dict[str, int] | None, after: dict[str, int] | None) -> dict[str, object]:
    """The CPU time of each thread between two readings; a thread that ended in between is not seen."""
    known = before is not None and after is not None
    spent = [time - (before or {}).get(task, 0) for task, time in (after or {}).items()] if known else []
    return {
        "type": "threads",
        "total": len(spent) if known else None,
        "busy_ns": sorted(spent, reverse=True)[:MOST] if known else None,
    }
