"""Published, reproduced and fair side by side: latency, CPU and memory; and the versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.article.readings import Edition
from harness.report.article.words import bounds_of, ratio_of
from harness.report.formats import TIMES, UNKNOWN, number
from harness.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.article.figures import Climb, Standing
    from harness.article.ladder import Ladder
    from harness.runs import Run
    from harness.stats.cell import Measured
    from harness.stats.intervals import Estimate


@dataclass(frozen=True)
class Row:
    """One framework's line in a table: a text for each column, a second line small."""

    framework: str
    slot: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One measure, side by side."""

    title: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Pin:
    """One distribution: the article's version, and those in the images."""

    name: str
    article: str
    image: str
    current: str
    why: str


def tables(
    ladder: Ladder,
    climbs: Mapping[Edition, Climb],
    ordinary: Mapping[str, Measured],
    colours: Mapping[str, int],
) -> Iterator[Table]:
    """Latency, CPU and memory: published, reproduced twice, fair, and the ordinary matrix."""
    first, last = ladder.rungs[0].name, ladder.rungs[-1].name
    columns = (
        "published",
        "reproduced, its versions",
        "reproduced, current versions",
        "fair, current versions",
        "the matrix itself",
    )
    rungs = (
        climbs[Edition.ARTICLE].rungs[first],
        climbs[Edition.CURRENT].rungs[first],
        climbs[Edition.CURRENT].rungs[last],
    )

    def table(title: str, unit: str, cells: Mapping[str, tuple[str, ...]]) -> Table:
        rows = (Row(ladder.published[name].title, colours[name], cells[name]) for name in ladder.frameworks)
        return Table(title, unit, columns, tuple(rows))

    base = ladder.baseline
    latency, cpu, memory = {}, {}, {}
    for name in ladder.frameworks:
        told, own = ladder.published[name], ordinary.get(name)
        relative = told.latency_ms / ladder.published[base].latency_ms
        ratios = [ratio_of(rung, base, name) for rung in rungs]
        p50, base_p50 = _p50(ordinary, name), _p50(ordinary, base)
        against = p50.value / base_p50.value if p50 and base_p50 else None
        latency[name] = (
            f"{told.latency_ms:g}\n{number(relative)}{TIMES}",
            *(_latency(rung[name], ratio) for rung, ratio in zip(rungs, ratios, strict=True)),
            _figure(p50, against),
        )
        cpu[name] = (
            f"{told.cpu_percent:g}",
            *(number(rung[name].cpu_percent) for rung in rungs),
            number(own.stats.cpu_percent if own else None),
        )
        peak = own.stats.rss_peak_bytes if own else None
        memory[name] = (
            f"{told.memory_mb:g}",
            *(number(rung[name].memory_mb) for rung in rungs),
            number(peak.value / MIB if peak else None),
        )
    yield table(
        "Latency of a call", "milliseconds, with the 95 % interval; then how many times PyTorch's", latency
    )
    yield table("CPU", "percent of one core", cpu)
    yield table("Memory", "resident MiB: the article's mean, and from the fair column on the peak", memory)


def _p50(ordinary: Mapping[str, Measured], name: str) -> Estimate | None:
    return ordinary[name].stats.p50_ms if name in ordinary and ordinary[name].ok else None


def _latency(standing: Standing, ratio: Estimate | None) -> str:
    if standing.error and standing.latency is None:
        return "failed"
    return _figure(standing.latency, ratio.value if ratio else None)


def _figure(latency: Estimate | None, ratio: float | None) -> str:
    times = UNKNOWN if ratio is None else f"{number(ratio)}{TIMES}"
    return f"{number(latency.value if latency else None)}\n{bounds_of(latency)} {times}"


def pins(run: Run, ladder: Ladder) -> Iterator[Pin]:
    """The versions: the article's, and what was measured."""
    images = [run.images.get(edition.image) for edition in Edition]
    for name, version in ladder.versions.items():
        found = [
            next(
                (held.packages[key] for key in (name, f"{name}-cpu") if held and key in held.packages),
                UNKNOWN,
            )
            for held in images
        ]
        image, current = found
        yield Pin(name, version, image, current, ladder.differing.get(name, ""))
