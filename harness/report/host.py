"""Whether the host was fit to measure on: what others did beside each cell, and the trials that it spoiled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.records import Conditions, Limits, Moment
from harness.report.doubts import named
from harness.report.formats import UNKNOWN, clip, number, share
from harness.results import CpuMode
from harness.stats.samples import steady_end
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.results import Trial
    from harness.stats.cell import Measured

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


@dataclass(frozen=True)
class Window:
    """A trial's steady phase as the host's counters saw it."""

    trial: Trial
    start: Conditions
    end: Conditions

    @property
    def wall_ns(self) -> int:
        """From one reading to the other."""
        return self.end.at_ns - self.start.at_ns

    @property
    def cpu_ns(self) -> int:
        """What its CPUs had to give meanwhile."""
        limits = self.trial.find(Limits)
        return self.wall_ns * max(1, len(limits.cpuset) if limits else 1)

    def grown(self, counter: str) -> int | None:
        """How much a counter grew; `None` where the host does not have it."""
        before, after = getattr(self.start, counter), getattr(self.end, counter)
        return None if before is None or after is None else max(0, after - before)

    def stolen(self) -> float | None:
        """Share of CPU time that the hypervisor gave to others."""
        return _part(self.grown("steal_ns"), self.cpu_ns)

    def foreign(self) -> float | None:
        """Share of the time of its CPUs that others took; unknown under a quota, whose CPUs are everybody's."""
        busy, steady = self.grown("busy_ns"), steady_end(self.trial.records)
        if self.trial.requested.cpu_mode is not CpuMode.CPUSET or busy is None:
            return None
        own = steady.cpu_ns if steady is not None else None
        return None if own is None else _part(max(0, busy - own), self.cpu_ns)


def beside(measured: Iterable[Measured]) -> tuple[Beside, ...]:
    """The host beside every cell that reached its steady phase."""
    rows = (
        (each, [window for trial in each.result.counted for window in _windows(trial)]) for each in measured
    )
    return tuple(_beside(each, windows) for each, windows in rows if windows)


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
    worthless = sum(bool(trial.spoiled) for trial in trials)
    if not worthless:
        return f"The host spoiled none of {counted(len(trials), 'trial')}."
    still = sum(bool(trial.spoiled) for each in measured for trial in each.result.counted)
    return (
        f"The host spoiled {worthless} of {counted(len(trials), 'trial')}. Such a trial is repeated once, both are "
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


def _windows(trial: Trial) -> Iterator[Window]:
    moments = {found.moment: found for found in trial.all(Conditions)}
    start, end = moments.get(Moment.STEADY_START), moments.get(Moment.STEADY_END)
    if start is not None and end is not None and end.at_ns > start.at_ns:
        yield Window(trial, start, end)


def _beside(measured: Measured, windows: Sequence[Window]) -> Beside:
    def pressure(counter: str) -> str:
        return _worst_share(_part(window.grown(counter), window.wall_ns) for window in windows)

    waits = [pressure(f"{resource}_pressure_ns") for resource in ("cpu", "memory", "io")]
    return Beside(
        cell_id=measured.result.cell_id,
        steal=_worst_share(window.stolen() for window in windows),
        foreign=_worst_share(window.foreign() for window in windows),
        waiting=" / ".join(waits),
        load=number(_worst(each.load for window in windows for each in (window.start, window.end))),
        swapped=_count(window.grown("swapped_pages") for window in windows),
        hot=_count(window.grown("throttle_events") for window in windows),
        neighbours=str(max(window.trial.neighbours for window in windows)),
    )


def _part(part: int | None, whole: int) -> float | None:
    return None if part is None else part / whole


def _worst(figures: Iterable[float | None]) -> float | None:
    return max((figure for figure in figures if figure is not None), default=None)


def _worst_share(figures: Iterable[float | None]) -> str:
    return share(_worst(figures))


def _count(figures: Iterable[int | None]) -> str:
    worst = _worst(figures)
    return UNKNOWN if worst is None else f"{worst:,.0f}"
