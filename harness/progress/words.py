"""Events in words, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.events import EngineLost, TrialSpoiled
from harness.results import Status
from harness.units import format_duration

if TYPE_CHECKING:
    from harness.events import RunStarted, Stopping, TrialEnded
    from harness.progress.estimate import Estimate

US_PER_S: Final = 1e6


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
    latency = "" if event.p50_us is None else f"p50 {format_duration(event.p50_us / US_PER_S)}"
    number = f"[{event.number:>{len(str(event.total))}}/{event.total}]"
    words = event.reason if event.status is not Status.OK else latency
    return (
        f"{number} {event.cell_id:<40} #{event.index + 1} {event.status:<8} {event.engine_s:5.1f} s  {words}"
    )


def left_text(estimate: Estimate) -> str:
    """`about 3 min 20 s left`."""
    seconds = estimate.seconds()
    return "" if not seconds else f"about {format_duration(max(1, round(seconds)))} left"
