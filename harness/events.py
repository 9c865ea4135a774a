"""What happens while a run goes on, as values: whoever shows progress gets these, and nobody else prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.records import Phase
    from harness.results import Status


@dataclass(frozen=True, kw_only=True)
class Step:
    """Work before the first trial: building an image, preparing a model."""

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
