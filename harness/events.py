"""What happens while a run goes on, as values: whoever shows progress gets these, and nobody else prints."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.records import Phase
    from harness.results import Status

PATIENCE_S: Final = 1.0
"""For work on many files, before anything is said of it."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Step:
    """Work before the first trial or after the last: building an image, preparing a model, reading cells."""

    kind: str = "step"
    subject: str
    text: str
    done: float | None = None
    """Share done, 0 to 1, where it is known."""


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """The schedule begins, or goes on."""

    kind: str = "run_started"
    run_id: str
    trials: int
    done: int
    """Trials kept from earlier sessions."""
    budget_left_s: float | None = None
    """After which no trial begins, where there is a budget."""


@dataclass(frozen=True, kw_only=True)
class TrialStarted:
    """A container is about to start."""

    kind: str = "trial_started"
    cell_id: str
    framework: str
    index: int
    trials: int
    number: int
    """From 1, over the whole run."""
    total: int


@dataclass(frozen=True, kw_only=True)
class PhaseReached:
    """The running trial has entered a phase."""

    kind: str = "phase"
    cell_id: str
    phase: Phase


@dataclass(frozen=True, kw_only=True)
class Probing:
    """The reference probe is about to measure the machine."""

    kind: str = "probing"


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A second has passed in silence."""

    kind: str = "tick"


@dataclass(frozen=True, kw_only=True)
class TrialEnded:
    """A trial's result is on disk."""

    kind: str = "trial_ended"
    cell_id: str
    framework: str
    index: int
    status: Status
    reason: str
    p50_us: float | None
    """Median latency of the steady phase, where it got that far."""
    engine_s: float
    number: int
    total: int


@dataclass(frozen=True, kw_only=True)
class TrialSpoiled:
    """The host, the engine or the harness spoiled a trial, which is therefore repeated."""

    kind: str = "trial_spoiled"
    cell_id: str
    index: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """The user wants to stop: the running trial is the last."""

    kind: str = "stopping"


@dataclass(frozen=True, kw_only=True)
class EngineLost:
    """The engine does not answer any more; it is waited for."""

    kind: str = "engine_lost"
    reason: str


Event = (
    Step
    | RunStarted
    | TrialStarted
    | PhaseReached
    | Probing
    | Tick
    | TrialEnded
    | TrialSpoiled
    | Stopping
    | EngineLost
)
if TYPE_CHECKING:
    Listener = Callable[[Event], None]


def unheard(_: Event) -> None:
    """The listener of who wants no progress."""


def told(items: Iterable[T], total: int, *, subject: str, doing: str, listener: Listener) -> Iterator[T]:
    """Hand on cells, and say how far it is where that takes long: a step a percent, and no last word.

    Args:
        items: one a cell.
        total: how many they are at most.
        subject: of the steps.
        doing: what is done with them, such as `reading`.
        listener: gets the steps.
    """
    begin, last = time.monotonic(), 0
    for number, item in enumerate(items, start=1):
        yield item
        percent = 100 * number // total
        if last < percent < 100 and time.monotonic() - begin > PATIENCE_S:
            last = percent
            listener(Step(subject=subject, text=f"{doing} {number} of {total} cells", done=percent / 100))
