"""Progress on a terminal: finished trials scroll by above one line that is redrawn at most once a second."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.text import Text

from harness.events import (
    EngineLost,
    PhaseReached,
    Probing,
    RunStarted,
    Step,
    Stopping,
    TrialEnded,
    TrialSpoiled,
    TrialStarted,
)
from harness.progress.estimate import Estimate
from harness.progress.words import left_text, started_line, trial_line, trouble_line
from harness.results import Status

if TYPE_CHECKING:
    from rich.console import Console

    from harness.events import Event


class LiveStatus:
    """A scrolling list of finished trials above one status line that is redrawn at most once a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._estimate = Estimate()
        self._running: TrialStarted | None = None
        self._phase = ""
        self._since = time.monotonic()
        self._failed = 0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a terminal that is closed needs no tidying
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Redraw."""
        self._estimate.take(event)
        if isinstance(event, Step):
            self._show_step(event)
            return
        if isinstance(event, RunStarted):
            self._console.print(started_line(event), highlight=False)
        if isinstance(event, TrialSpoiled | Stopping | EngineLost):
            self._console.print(Text(trouble_line(event), style="yellow"))
        if isinstance(event, TrialStarted):
            self._running, self._phase, self._since = event, "start", time.monotonic()
        if isinstance(event, PhaseReached):
            self._phase = event.phase
        if isinstance(event, Probing):
            self._live.update(Text("measuring the machine itself", style="cyan"), refresh=True)
            return
        if isinstance(event, TrialEnded):
            good = event.status is Status.OK
            self._failed += not good
            self._console.print(Text(trial_line(event), style="" if good else "bold red"))
        self._live.update(self._status(), refresh=True)

    def _show_step(self, event: Step) -> None:
        share = "" if event.done is None else f" {event.done:.0%}"
        if event.done == 1.0:
            self._console.print(Text(f"{event.subject}: {event.text}"))
            self._live.update(Text(""), refresh=True)
        else:
            self._live.update(Text(f"{event.subject}: {event.text}{share}", style="cyan"), refresh=True)

    def _status(self) -> Text:
        running = self._running
        if running is None:
            return Text("")
        parts = (
            f"{running.number}/{running.total}",
            f"{running.cell_id} #{running.index + 1}",
            self._phase,
            f"{time.monotonic() - self._since:.0f} s",
            f"{self._failed} not ok" if self._failed else "",
            left_text(self._estimate),
        )
        return Text(" · ".join(filter(None, parts)), style="cyan", overflow="ellipsis", no_wrap=True)
