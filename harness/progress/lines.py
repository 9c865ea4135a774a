"""Progress as lines: for logs and pipes, for who wants all or little of it, and for programs."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

from harness.events import (
    EngineLost,
    PhaseReached,
    RunStarted,
    Step,
    Stopping,
    Tick,
    TrialEnded,
    TrialSpoiled,
)
from harness.progress.estimate import Estimate
from harness.progress.words import left_text, started_line, trial_line, trouble_line
from harness.results import Status

if TYPE_CHECKING:
    from harness.events import Event

HEARTBEAT_S = 60.0


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


class TroubleLines:
    """Only what keeps a run from going straight on, and trials that did not end well."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __call__(self, event: Event) -> None:
        """Print trouble, and nothing else."""
        if isinstance(event, TrialSpoiled | Stopping | EngineLost):
            _print(trouble_line(event))
        elif isinstance(event, TrialEnded) and event.status is not Status.OK:
            _print(trial_line(event))


class PlainLines:
    """One line a step and a trial, and a heartbeat in long silence: for logs and pipes."""

    def __init__(self, *, every: bool = False) -> None:
        """Begin.

        Args:
            every: tell each phase of each trial as well.
        """
        self._every = every
        self._estimate = Estimate()
        self._last = time.monotonic()
        self._steps: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        self._estimate.take(event)
        line = self._line(event)
        if line:
            self._last = time.monotonic()
            _print(line)

    def _line(self, event: Event) -> str:
        if isinstance(event, Step):
            return self._step_line(event)
        if isinstance(event, RunStarted):
            return started_line(event)
        if isinstance(event, TrialSpoiled | Stopping | EngineLost):
            return trouble_line(event)
        if isinstance(event, TrialEnded):
            return f"{trial_line(event)}  {left_text(self._estimate)}"
        if isinstance(event, PhaseReached) and self._every:
            return f"{event.cell_id}: {event.phase}"
        silent = time.monotonic() - self._last > HEARTBEAT_S
        return "still running" if isinstance(event, Tick) and silent else ""

    def _step_line(self, event: Step) -> str:
        """A download reports many times a second; a log wants to know that each step began, and how it ended."""
        step = event.text if event.done in {None, 1.0} else event.text.partition(" ")[0]
        if self._steps.get(event.subject) == step:
            return ""
        self._steps[event.subject] = step
        return f"{event.subject}: {event.text}"


def _print(line: str) -> None:
    sys.stderr.write(line.rstrip() + "\n")
    sys.stderr.flush()
