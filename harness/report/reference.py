"""The reference probes over the run: how fast the machine itself was, on each set of CPUs, against its own median."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.fitness import PROBE_MOVE, copy_speed, machine_speed, same_cpus
from harness.report.formats import UNKNOWN, core_list, number, ratio, share
from harness.units import counted, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.results import ReferenceProbe

TOP, BOTTOM = 14, 94
"""Of the plot, pixels."""
SPANS: Final = (1.25, 1.5, 2.0, 4.0)
"""How many times faster and slower than the median an axis reaches; what is off it lies at its end."""
LEFT, RIGHT = 13.0, 98.0
"""Of the marks, percent of the width: the labels of the lines stand before them."""
THIRDS: Final = 3
S_PER_NS: Final = 1e-9


@dataclass(frozen=True)
class Figure:
    """One of the things that a probe measures."""

    title: str
    speed: Callable[[ReferenceProbe], float]
    """More is faster."""
    text: Callable[[float], str]


def loop_speed(probe: ReferenceProbe) -> float:
    """Loops of the interpreter a second, by the median repetition."""
    return 1 / (float(np.median(probe.loop_ns)) * S_PER_NS)


FIGURES: Final = (
    Figure("Matrix product", machine_speed, lambda speed: f"{number(speed / 1e9)} GMAC/s"),
    Figure("Copy in memory", copy_speed, lambda speed: f"{number(speed / 1e9)} GB/s"),
    Figure("Interpreter loop", loop_speed, lambda speed: f"{number(1e3 / speed)} ms"),
)


@dataclass(frozen=True)
class Mark:
    """One probe in a chart."""

    x: float
    y: float


@dataclass(frozen=True)
class Series:
    """One figure of the probes on one set of CPUs, over the run."""

    title: str
    median: str
    words: str
    """Spread and drift."""
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    """Height and label of the lines."""


@dataclass(frozen=True)
class ProbeRow:
    """One probe in the table: its figures, and each against the median."""

    number: int
    after: str
    figures: tuple[str, ...]


@dataclass(frozen=True)
class ProbedCpus:
    """All probes on one set of CPUs."""

    title: str
    count: str
    series: tuple[Series, ...]
    last: str
    """The time at the axis's end."""
    rows: tuple[ProbeRow, ...]


def probed_cpus(probes: Iterable[ReferenceProbe]) -> tuple[ProbedCpus, ...]:
    """The probes of a run, by the CPUs that they ran on."""
    ordered = sorted(probes, key=lambda probe: probe.number)
    groups: list[list[ReferenceProbe]] = []
    for probe in ordered:
        own = next((group for group in groups if same_cpus(group[0].requested, probe.requested)), None)
        if own is None:
            groups.append([probe])
        else:
            own.append(probe)
    moments = [probe.started_at.timestamp() for probe in ordered]
    start = min(moments, default=0.0)
    return tuple(_probed(group, start, max(moments) - start) for group in groups)


def _probed(group: Sequence[ReferenceProbe], start: float, span_s: float) -> ProbedCpus:
    seconds = [probe.started_at.timestamp() - start for probe in group]
    speeds = {figure.title: [figure.speed(probe) for probe in group] for figure in FIGURES}
    relative = {title: _relative(found) for title, found in speeds.items()}
    span = _span([each for found in relative.values() for each in found])
    places = [round(LEFT + (RIGHT - LEFT) * (each / span_s if span_s else 0), 1) for each in seconds]
    return ProbedCpus(
        title=_title(group[0]),
        count=counted(len(group), "probe"),
        series=tuple(
            _series(figure, speeds[figure.title], relative[figure.title], places, span) for figure in FIGURES
        ),
        last=format_duration(span_s),
        rows=tuple(
            ProbeRow(
                number=probe.number,
                after=format_duration(seconds[index]),
                figures=tuple(
                    f"{figure.text(speeds[figure.title][index])}\n{ratio(relative[figure.title][index], 1.0)}"
                    for figure in FIGURES
                ),
            )
            for index, probe in enumerate(group)
        ),
    )


def _title(probe: ReferenceProbe) -> str:
    asked = probe.requested
    if asked.cpuset is not None:
        return f"CPU{'' if len(asked.cpuset) == 1 else 's'} {core_list(asked.cpuset)}"
    return f"quota of {asked.quota_cpus:g} CPU" if asked.quota_cpus else UNKNOWN


def _series(
    figure: Figure, speeds: Sequence[float], relative: Sequence[float], places: Sequence[float], span: float
) -> Series:
    return Series(
        title=figure.title,
        median=figure.text(float(np.median(speeds))),
        words=words(relative),
        marks=tuple(Mark(x, height(value, span)) for x, value in zip(places, relative, strict=True)),
        ticks=tuple((height(value, span), ratio(value, 1.0)) for value in (span, 1.0, 1 / span)),
    )


def words(relative: Sequence[float]) -> str:
    """Spread, drift and moves of speeds that are relative to their median."""
    said = [f"{ratio(min(relative), 1.0)} to {ratio(max(relative), 1.0)} its median speed"]
    if len(relative) >= THIRDS:
        parts = np.array_split(np.asarray(relative), THIRDS)
        drift = float(np.median(parts[-1]) / np.median(parts[0])) - 1
        way = f"{share(abs(drift))} {'faster' if drift > 0 else 'slower'} than" if drift else "as fast as"
        said.append(f"the last third {way} the first")
    moves = sum(
        abs(math.log(later / earlier)) > math.log(1 + PROBE_MOVE) for earlier, later in pairwise(relative)
    )
    count = counted(moves, "move") if moves else "no move"
    said.append(f"{count} of more than {share(PROBE_MOVE)} between neighbours")
    return "; ".join(said)


def height(value: float, span: float) -> float:
    """The place of a relative speed, pixels from the top: logarithmic, with the median in the middle."""
    share_of_half = math.log(value) / math.log(span)
    middle = (TOP + BOTTOM) / 2
    return round(middle - min(1.0, max(-1.0, share_of_half)) * (BOTTOM - TOP) / 2, 1)


def _relative(speeds: Sequence[float]) -> list[float]:
    median = float(np.median(speeds))
    return [speed / median for speed in speeds]


def _span(relative: Sequence[float]) -> float:
    furthest = max(abs(math.log(value)) for value in relative)
    return next((span for span in SPANS if math.log(span) >= furthest), SPANS[-1])
