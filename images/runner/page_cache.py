"""Make a cap bind on every page: drop the image's large files and the model from the page cache.

A page that an earlier container has read is charged to nobody in this one, so that a process may map more than its
cap and never be killed. `posix_fadvise(POSIX_FADV_DONTNEED)` needs no privilege. It skips dirty pages, which is why
the probe calls `sync` before a run: `fsync` does nothing for the lower layers of an overlay. And it skips pages that
another process maps, which is why the phase records show what was charged.
"""

from __future__ import annotations

import os
import time

LARGE_FILES = "/opt/edgematrix/large_files.txt"
MODEL_FOLDERS = ("/model", "/native")


def drop(paths: list[str]) -> dict[str, int]:
    """Drop each file's clean pages; a file that is gone is left out of the count."""
    start = time.monotonic_ns()
    files = total = 0
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            files += 1
            total += os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
    return {"files": files, "bytes": total, "wall_ns": time.monotonic_ns() - start}


def measured_files() -> list[str]:
    """The image's large library files, listed when it was built, and everything of the model."""
    with open(LARGE_FILES, encoding="utf-8") as file:
        paths = file.read().splitlines()
    for folder in MODEL_FOLDERS:
        for parent, _, names in os.walk(folder):
            paths += [os.path.join(parent, name) for name in names]
    return paths
