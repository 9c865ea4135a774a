"""Framework by limit: p50 where a cell ran, how it ended where not, and never a hole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.doubts import count_doubts
from harness.report.flags import FLAGS, SPOILED, flags
from harness.report.formats import NAME_LIMIT, clip, ratio, time_unit
from harness.units import counted

if TYPE_CHECKING:
    from harness.report.book import Book
    from harness.report.endings import Ending
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.cell import Measured

SHADES: Final = 6
"""Steps of the shading, from the fastest (0) on."""
SHADE_FACTOR: Final = 2.0
"""Each step is this many times slower."""


@dataclass(frozen=True)
class HeatCell:
    """One cell of the map."""

    cell_id: str
    text: str
    ratio: str
    """Against the fastest under the same limit."""
    shade: int
    flags: tuple[str, ...]
    """What casts doubt on the figure, in a word each."""
    warnings: str
    """How many doubts there are beyond those, such as `1 warning`."""
    ending: Ending


@dataclass(frozen=True)
class HeatRow:
    """One framework's cells, limit by limit; `None` where the matrix has no such cell."""

    framework: str
    slot: int
    cells: tuple[HeatCell | None, ...]


@dataclass(frozen=True)
class HeatColumn:
    """A limit."""

    title: str
    devices: tuple[str, ...]


@dataclass(frozen=True)
class HeatMap:
    """The map of one workload."""

    unit: str
    columns: tuple[HeatColumn, ...]
    rows: tuple[HeatRow, ...]


def heat_map(book: Book, workload: Workload) -> HeatMap:
    """Draw up the map; the framework with the best mean place stands first."""
    unit = time_unit(each.stats.p50_ms.value for each in workload.ok if each.stats.p50_ms)

    def cell(group: LimitGroup, each: Measured) -> HeatCell:
        own, fastest = each.stats.p50_ms, group.cells[0].stats.p50_ms
        others = count_doubts(each, beside={*FLAGS, SPOILED})
        behind = own.value / fastest.value if each.ok and own and fastest else None
        return HeatCell(
            cell_id=each.result.cell_id,
            text=unit.number(own.value if own else None),
            ratio=ratio(behind, 1.0),
            shade=_shade(behind),
            flags=flags(each),
            warnings=counted(others, "warning") if others else "",
            ending=book.ending(each),
        )

    rows = []
    for framework in _by_place(workload):
        found = [
            next((each for each in group.cells if each.result.cell.framework == framework), None)
            for group in workload.groups
        ]
        cells = tuple(
            cell(group, each) if each else None for group, each in zip(workload.groups, found, strict=True)
        )
        rows.append(HeatRow(clip(framework, NAME_LIMIT), book.slots[framework], cells))
    columns = tuple(HeatColumn(group.title, group.devices) for group in workload.groups)
    return HeatMap(unit.name, columns, tuple(rows))


def _shade(behind: float | None) -> int:
    if behind is None:
        return SHADES - 1
    return min(SHADES - 1, math.ceil(round(math.log(behind, SHADE_FACTOR), 9)))


def _by_place(workload: Workload) -> list[str]:
    """Frameworks by their mean place over the limits."""
    places: dict[str, list[int]] = {}
    for group in workload.groups:
        for index, each in enumerate(group.cells):
            places.setdefault(each.result.cell.framework, []).append(index)
    return sorted(places, key=lambda name: (sum(places[name]) / len(places[name]), name))
