"""What a container writes: lines of standard output, and a bounded tail of standard error."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.attachment import Attachment
    from harness.deadline import Deadline

LOG_TAIL_BYTES: Final = 16 * 1024
MAX_OUTPUT_BYTES: Final = 256 * 1024**2
TICK_S: Final = 1.0
LEAST_WAIT_S: Final = 0.05
"""For what has come already: a timeout of 0 makes a socket non-blocking, whose reads raise where nothing is there."""


class OutputReader:
    """Splits a container's output into lines of standard output and a bounded tail of standard error."""

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self._on_line = on_line
        self._line = b""
        self._tail = b""
        self._total = 0

    @property
    def flooded(self) -> bool:
        """More was written than any honest container writes."""
        return self._total > MAX_OUTPUT_BYTES

    def feed(self, stream: int, data: bytes) -> None:
        """Take a chunk: 1 is standard output, 2 standard error."""
        self._total += len(data)
        if stream != 1:
            self._tail = (self._tail + data)[-LOG_TAIL_BYTES:]
            return
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._on_line(line)

    def log_tail(self) -> str:
        """The end of standard error, undecodable bytes replaced."""
        return self._tail.decode("utf-8", "replace")


def pump(
    attachment: Attachment, reader: OutputReader, *, deadline: Deadline, on_tick: Callable[[], None]
) -> bool:
    """Read until the container ends or floods; asleep while it is silent.

    What is there already when the time is over is read still, for no longer than a tick: a harness that was stopped
    meanwhile, by Ctrl-Z or by a full terminal, has not looked.

    Returns:
        False where the time ran out first.
    """
    last_look = math.inf
    while not reader.flooded:
        left = deadline.left_s()
        last_look = math.inf if left > 0 else min(last_look, time.monotonic() + TICK_S)
        data = attachment.receive(min(TICK_S, max(left, LEAST_WAIT_S)))
        if data is None:
            return True
        for stream, chunk in data:
            reader.feed(stream, chunk)
        if time.monotonic() > last_look or (left <= 0 and not data):
            return False
        if not data:
            on_tick()
    return True
