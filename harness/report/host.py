"""Whether the host was fit to measure on: what others did beside each cell, and the trials that it spoiled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.book import is_control
from harness.report.doubts import named
from harness.report.formats import UNKNOWN, clip, number, share
from harness.units import counted
from harness.window import steady_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.results import Trial
    from harness.stats.cell import Measured
    from harness.window import Window

REPEATED: Final = "repeated, does not count"
KEPT: Final = "the repetition, counts all the same"
NOT_REPEATED: Final = "not repeated, counts"


@dataclass(frozen=True)
class Beside:
    """What happened beside one cell during its steady phases: the worst of its trials."""

    cell_id: str
    steal: str
    foreign: str
    waiting: str
    """CPU, memory and input/output pressure."""
    load: str
    swapped: str
    hot: str
    neighbours: str


@dataclass(frozen=True)
class Spoiled:
    """A reason for which trials are spoiled, and what became of them."""

    kind: str
    text: str
    fate: str
    cells: tuple[str, ...]
    more: str
    trials: int


def beside(measured: Iterable[Measured]) -> tuple[Beside, ...]:
    """The host beside every cell that reached its steady phase."""
    found = ((each, _windows(each.result.counted)) for each in measured)
    return tuple(_beside(each, windows) for each, windows in found if windows)


def spoiled(measured: Iterable[Measured]) -> tuple[Spoiled, ...]:
    """The trials that the host spoiled, by reason and by what became of them."""
    groups: dict[tuple[str, str, str], Counter[str]] = {}
    for each in measured:
        for trial in each.result.trials:
            for reason in trial.spoiled:
                key = reason.kind, reason.text, _fate(trial, each)
                groups.setdefault(key, Counter())[each.result.cell_id] += 1
    found = []
    for (kind, text, fate), cells in groups.items():
        ids, more = named(list(cells))
        found.append(Spoiled(clip(kind.replace("_", " ")), clip(text), fate, ids, more, sum(cells.values())))
    return tuple(sorted(found, key=lambda row: (row.fate == REPEATED, row.kind)))


def spoiled_line(measured: Sequence[Measured]) -> str:
    """How many trials were spoiled and repeated, in a sentence or two."""
    trials = [trial for each in measured for trial in each.result.trials]
    of_controls = sum(len(each.result.trials) for each in measured if is_control(each))
    parts = (
        f" ({len(trials) - of_controls:,} of cells and {of_controls:,} of controls)" if of_controls else ""
    )
    every = counted(len(trials), "trial") + parts
    worthless = sum(bool(trial.spoiled) for trial in trials)
    if not worthless:
        return f"The host spoiled none of {every}."
    still = sum(bool(trial.spoiled) for each in measured for trial in each.result.counted)
    return (
        f"The host spoiled {worthless} of {every}. Such a trial is repeated once, both are "
        f"kept, and the repetition counts. Spoiled among those that count: {still or 'none'}."
    )


def neighbours_line(measured: Iterable[Measured]) -> str:
    """Whether other containers ran on the engine, in a sentence."""
    trials = [trial for each in measured for trial in each.result.counted]
    disturbed = [trial.neighbours for trial in trials if trial.neighbours]
    if not disturbed:
        return "No other container ran on the engine when a trial began."
    return (
        f"{len(disturbed)} of {counted(len(trials), 'trial')} began with other containers on the engine, "
        f"{max(disturbed)} at the most."
    )


def _fate(trial: Trial, of: Measured) -> str:
    if trial not in of.result.counted:
        return REPEATED
    return KEPT if trial.attempt else NOT_REPEATED


def _windows(trials: Iterable[Trial]) -> list[Window]:
    found = (steady_window(trial.records, trial.requested) for trial in trials)
    return [window for window in found if window is not None]


def _beside(measured: Measured, windows: Sequence[Window]) -> Beside:
    def pressure(counter: str) -> str:
        return _worst_share(window.share(counter) for window in windows)

    waits = [pressure(f"{resource}_pressure_ns") for resource in ("cpu", "memory", "io")]
    return Beside(
        cell_id=measured.result.cell_id,
        steal=_worst_share(window.stolen() for window in windows),
        foreign=_worst_share(window.foreign() for window in windows),
        waiting=" / ".join(waits),
        load=number(_worst(each.load for window in windows for each in (window.start, window.end))),
        swapped=_count(window.grown("swapped_pages") for window in windows),
        hot=_count(window.grown("throttle_events") for window in windows),
        neighbours=str(max(trial.neighbours for trial in measured.result.counted)),
    )


def _worst(figures: Iterable[float | None]) -> float | None:
    return max((figure for figure in figures if figure is not None), default=None)


def _worst_share(figures: Iterable[float | None]) -> str:
    return share(_worst(figures))


def _count(figures: Iterable[int | None]) -> str:
    worst = _worst(figures)
    return UNKNOWN if worst is None else f"{worst:,.0f}"
