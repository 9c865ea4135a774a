"""Progress for three audiences: a terminal, a log file, a program. All of it goes to standard error but the last."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.events import (
    EngineLost,
    PhaseReached,
    Probing,
    RunStarted,
    Step,
    Stopping,
    Tick,
    TrialEnded,
    TrialSpoiled,
    TrialStarted,
)
from harness.results import Status
from harness.units import format_duration

if TYPE_CHECKING:
    from harness.events import Event

HEARTBEAT_S = 60.0


class Display(Protocol):
    """Shows events; a context manager, so that a terminal is left as it was found."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def __call__(self, event: Event) -> None:
        """Show one event."""
        ...


class Estimate:
    """How long the rest will take, learned from the trials of this session; frameworks differ tenfold.

    What stands between trials, such as the reference probes, is learned as a factor.
    """

    def __init__(self) -> None:
        self._left = 0
        self._begin = time.monotonic()
        self._spent: dict[str, list[float]] = defaultdict(list)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, RunStarted):
            self._left = event.trials - event.done
            self._begin = time.monotonic()
        if isinstance(event, TrialEnded):
            self._left = event.total - event.number
            self._spent[event.framework].append(event.engine_s)

    def seconds(self) -> float | None:
        """Wall time left; `None` before the first trial has ended."""
        means = [sum(spent) / len(spent) for spent in self._spent.values()]
        if not means:
            return None
        measured = sum(sum(spent) for spent in self._spent.values())
        between = max(1.0, (time.monotonic() - self._begin) / measured) if measured else 1.0
        return self._left * sum(means) / len(means) * between


class JsonLines:
    """One JSON object an event on standard output."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __call__(self, event: Event) -> None:
        """Print the event; silence is no event for a program."""
        if not isinstance(event, Tick):
            sys.stdout.write(json.dumps(asdict(event)) + "\n")
            sys.stdout.flush()


class PlainLines:
    """One line a step and a trial, and a heartbeat in long silence: for logs and pipes."""

    def __init__(self) -> None:
        self._estimate = Estimate()
        self._last = time.monotonic()
        self._step = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        self._estimate.take(event)
        if isinstance(event, Step):
            # A download reports many times a second; a log wants each step once.
            line = "" if event.done not in {None, 1.0} else f"{event.subject}: {event.text}"
            if line and line != self._step:
                self._step = line
                self._print(line)
        elif isinstance(event, RunStarted):
            self._print(started_line(event))
        elif isinstance(event, TrialSpoiled | Stopping | EngineLost):
            self._print(trouble_line(event))
        elif isinstance(event, TrialEnded):
            self._print(f"{trial_line(event)}  {left_text(self._estimate)}")
        elif isinstance(event, Tick) and time.monotonic() - self._last > HEARTBEAT_S:
            self._print("still running")

    def _print(self, line: str) -> None:
        self._last = time.monotonic()
        sys.stderr.write(line.rstrip() + "\n")
        sys.stderr.flush()


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


def started_line(event: RunStarted) -> str:
    """What lies ahead."""
    kept = f", {event.done} kept from before" if event.done else ""
    return f"run {event.run_id}: {event.trials} trials{kept}"


def trouble_line(event: TrialSpoiled | Stopping | EngineLost) -> str:
    """What keeps the run from going straight on."""
    if isinstance(event, TrialSpoiled):
        return f"{event.cell_id} #{event.index + 1} is repeated: {event.reason}"
    if isinstance(event, EngineLost):
        return f"waiting for the engine: {event.reason}"
    return "stopping after this trial; Ctrl-C again stops now"


def trial_line(event: TrialEnded) -> str:
    """One finished trial."""
    latency = "" if event.p50_us is None else f"p50 {format_duration_us(event.p50_us)}"
    number = f"[{event.number:>{len(str(event.total))}}/{event.total}]"
    words = event.reason if event.status is not Status.OK else latency
    return (
        f"{number} {event.cell_id:<40} #{event.index + 1} {event.status:<8} {event.engine_s:5.1f} s  {words}"
    )


def format_duration_us(us: float) -> str:
    """A latency with three digits and its own unit."""
    return f"{us:.3g} µs" if us < 1000 else f"{us / 1000:.3g} ms"


def left_text(estimate: Estimate) -> str:
    """`about 3 min 20 s left`."""
    seconds = estimate.seconds()
    return "" if not seconds else f"about {format_duration(max(1, round(seconds)))} left"


def choose_display(*, as_json: bool) -> Display:
    """JSON where asked, a live line on a terminal, plain lines elsewhere."""
    if as_json:
        return JsonLines()
    console = Console(stderr=True)
    return LiveStatus(console) if console.is_terminal else PlainLines()
