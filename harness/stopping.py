"""When to begin no further trial, though some are left: the time is spent, or the user has said so."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING, Any

from harness.events import Stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.events import Listener


class Stop:
    """Asked before every trial.

    Args:
        budget_s: time of measuring for this session; `None` for as long as it takes.

    Attributes:
        interrupted: the user pressed Ctrl-C.
    """

    def __init__(self, budget_s: float | None = None) -> None:
        self.budget_s = budget_s
        self.interrupted = False
        self._begin = time.monotonic()

    @property
    def left_s(self) -> float | None:
        """What is left of the time; `None` where it has no end."""
        if self.budget_s is None:
            return None
        return max(0.0, self.budget_s - (time.monotonic() - self._begin))

    @property
    def spent(self) -> bool:
        """Whether the time is over."""
        return self.left_s == 0

    @property
    def now(self) -> bool:
        """Whether to begin no further trial."""
        return self.interrupted or self.spent

    @contextlib.contextmanager
    def at_first_interrupt(self, listener: Listener) -> Iterator[None]:
        """Let the first Ctrl-C finish the trial that runs; the second, as any other signal, ends it at once."""

        def note(*_: Any) -> None:
            self.interrupted = True
            signal.signal(signal.SIGINT, before)
            listener(Stopping())

        before = signal.getsignal(signal.SIGINT)
        if before is not signal.SIG_IGN:  # a shell gives that to what it starts in the background
            signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
