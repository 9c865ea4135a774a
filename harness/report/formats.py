"""Numbers for people: three significant digits, a unit chosen once per table, and a dash for what is unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.results import CpuMode
from harness.stats.intervals import Estimate
from harness.stats.noise import Aim
from harness.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

EN_DASH: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
UNKNOWN: Final = EN_DASH
AT_CAP: Final = "at the cap"
"""Beside a resident peak that is what a cap left."""
_SMALLEST_PLAIN: Final = -4
SMALLEST_SHARE: Final = 1e-3
WIDEST: Final = 100
"""Times from its lower to its upper end: an interval wider than that says nothing of a figure."""
NAME_LIMIT: Final = 60
TEXT_LIMIT: Final = 300

_REORDERING: Final = (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS: Final = (
    {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
    | dict.fromkeys(range(0x7F, 0xA0), 0xFFFD)
    | dict.fromkeys(_REORDERING, 0xFFFD)
)
"""Control characters become their pictures; those that reorder text, which could dress up a log, a mark."""


def visible(text: str) -> str:
    """Text with every character that would not show, or would make others show elsewhere, made visible."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def clip(text: str, limit: int = TEXT_LIMIT) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(value: float | None) -> str:
    """Three significant digits; whole from 100 on, with thousands apart; an exponent only where it must."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    magnitude = int(f"{value:.2e}".partition("e")[2])
    if magnitude < _SMALLEST_PLAIN:
        return f"{value:.3g}"
    return f"{value:,.{max(0, 2 - magnitude)}f}"


def rounded(value: float | None) -> str:
    """Three significant digits of what may be large, such as `28,300`: more would be made up."""
    return number(None if value is None else float(f"{value:.3g}"))


@dataclass(frozen=True)
class TimeUnit:
    """A unit of time for one table or axis."""

    name: str
    per_ms: float

    def of(self, estimate: Estimate) -> Estimate:
        """An estimate in milliseconds, in this unit."""
        low, high = (
            None if bound is None else bound * self.per_ms for bound in (estimate.low, estimate.high)
        )
        return Estimate(value=estimate.value * self.per_ms, low=low, high=high)

    def number(self, milliseconds: float | None) -> str:
        """A duration in this unit, without the unit's name."""
        return number(None if milliseconds is None else milliseconds * self.per_ms)

    def with_bounds(self, estimate: Estimate | None) -> str:
        """An estimate in this unit, and its bounds in a second line."""
        figure = self.number(estimate.value if estimate else None)
        return figure if estimate is None or estimate.low is None else f"{figure}\n{self.bounds(estimate)}"

    def bounds(self, estimate: Estimate | None) -> str:
        """An estimate's bounds in this unit, such as `[12.1, 14.6]`; where they tell nothing, only that."""
        if estimate is None or estimate.low is None or estimate.high is None:
            return UNKNOWN
        if estimate.high > WIDEST * estimate.low:
            return f"over {WIDEST}{TIMES} wide"
        return f"[{self.number(estimate.low)}, {self.number(estimate.high)}]"


SECONDS: Final = TimeUnit("s", 1e-3)
MILLISECONDS: Final = TimeUnit("ms", 1.0)
MICROSECONDS: Final = TimeUnit("µs", 1e3)


def time_unit(milliseconds: Iterable[float]) -> TimeUnit:
    """The unit in which the middle one of these durations reads best; milliseconds where there are none."""
    ordered = sorted(milliseconds)
    middle = ordered[len(ordered) // 2] if ordered else 1.0
    return MICROSECONDS if middle < 1 else MILLISECONDS if middle < 1000 else SECONDS


def duration(milliseconds: float) -> str:
    """A duration with the unit that suits it, such as `13.7 µs`."""
    unit = time_unit([milliseconds])
    return f"{unit.number(milliseconds)} {unit.name}"


def mebibytes(size: float | None) -> str:
    """A size in MiB, without the unit."""
    return number(None if size is None else size / MIB)


def figure_text(value: float, aim: Aim) -> str:
    """A figure that cells are ranked by, with its unit: milliseconds or bytes in, `13.7 µs` or `64.0 MiB` out."""
    return f"{mebibytes(value)} MiB" if aim is Aim.MEMORY else duration(value)


def ratio(value: float | None, base: float | None) -> str:
    """A figure as a multiple of another."""
    return UNKNOWN if value is None or not base else f"{number(value / base)}{TIMES}"


def times(factor: float, low: float | None, high: float | None) -> str:
    """A factor, and on a second line its interval."""
    return f"{ratio(factor, 1.0)}\n[{number(low)}, {number(high)}]"


def percent(fraction: float | None) -> str:
    """A share as a percentage."""
    return UNKNOWN if fraction is None else f"{number(100 * fraction)} %"


def share(fraction: float | None) -> str:
    """A share as a percentage of two digits, and what is hardly there as `< 0.1 %`."""
    if fraction is None:
        return UNKNOWN
    if 0 < fraction < SMALLEST_SHARE:
        return f"< {100 * SMALLEST_SHARE:g} %"
    digits = max(0, 1 - math.floor(math.log10(100 * fraction))) if fraction else 0
    return f"{100 * fraction:,.{digits}f} %"


def cpus(value: float, mode: CpuMode) -> str:
    """`1 core`, `2 cores`, `0.5 CPU quota`: cores of a cpuset, or a share of time on all."""
    if mode is CpuMode.QUOTA:
        return f"{value:g} CPU quota"
    return f"{value:.0f} core" + ("" if value == 1 else "s")


def core_list(indices: Sequence[int] | None) -> str:
    """Logical CPUs with their runs folded, such as `0, 2 to 5`, with a dash for `to`."""
    if indices is None:
        return UNKNOWN
    runs: list[list[int]] = []
    for index in sorted(indices):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}{EN_DASH}{run[-1]}" for run in runs)


def moment(when: datetime | None) -> str:
    """A point in time to the second, with its zone."""
    return UNKNOWN if when is None else f"{when:%Y-%m-%d %H:%M:%S} {when.tzname() or ''}".rstrip()


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def distinct(texts: Iterable[str]) -> str:
    """Different values, in their order, with a bar between."""
    return " | ".join(dict.fromkeys(texts)) or UNKNOWN
