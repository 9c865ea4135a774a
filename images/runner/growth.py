"""How the process's own memory grows over the steady phase: noted between two calls, never polled."""

from __future__ import annotations

import gc
import os

from runner.cgroup import read_text

PAGE = os.sysconf("SC_PAGE_SIZE")
MOST = 1000
"""Notes that are kept; a phase that goes on past its time would fill them without end."""


class Growth:
    """Collects (calls, anonymous bytes) while a phase runs; its `note` is what `measure` calls."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.anon: list[int] = []

    def note(self, calls: int) -> None:
        """Note the anonymous memory after so many calls; the latencies that are kept of them lie in shared memory.

        Garbage is collected first: collection is off while calls are measured, and what only waits for it is no leak.
        """
        gc.collect()
        resident = anonymous_bytes()
        if resident is not None and len(self.calls) < MOST:
            self.calls.append(calls)
            self.anon.append(resident)

    def record(self) -> dict[str, object]:
        """The `growth` record."""
        return {"type": "growth", "calls": self.calls, "anon_bytes": self.anon}


def anonymous_bytes() -> int | None:
    """Resident pages of this process that no file stands behind (`proc_pid_statm(5)`)."""
    words = (read_text("/proc/self/statm") or "").split()
    return (int(words[1]) - int(words[2])) * PAGE if len(words) > 2 else None
