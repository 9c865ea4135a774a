"""What every part of the page needs beside the cells: the run, its colours, its noise and its controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.names import RESERVED_NAMES, TOOLS_SUFFIX
from harness.report.charts import Row
from harness.report.endings import Ending, ending
from harness.report.formats import NAME_LIMIT, UNKNOWN, clip
from harness.report.palette import slots
from harness.results import NULL_FRAMEWORK
from harness.stats.noise import Aim, floors, group_floors, rank_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.report.charts import Bar, Dot
    from harness.report.grouping import LimitGroup
    from harness.results import Workload as WorkloadKey
    from harness.runs import Run
    from harness.stats.cell import Measured
    from harness.stats.floor import Floor
    from harness.stats.ranking import Ranking


@dataclass(frozen=True)
class Book:
    """A run as all parts of its page see it."""

    run: Run
    slots: Mapping[str, int]
    floors: Mapping[Aim, Floor | None]
    """Of each figure: how far apart identical cells of this run are found."""
    group_floors: Mapping[Aim, Mapping[str, Floor | None]]
    """Of each figure, by cell id: the smallest difference that counts among the cells that one is ranked against."""
    latency_floors: Mapping[str, Floor | None]
    """The same of latency, for cells that are not measured next to each other: what the host did to a round counts."""
    controls: tuple[Measured, ...]
    """The timer's floor and the twin: measured beside the others, and never ranked."""

    @classmethod
    def of(cls, run: Run, measured: Sequence[Measured]) -> Self:
        """The book of a run and all its cells."""
        helpers = {*RESERVED_NAMES, NULL_FRAMEWORK}
        named = [name for name in run.images if name not in helpers and not name.endswith(TOOLS_SUFFIX)]
        return cls(
            run=run,
            slots=slots(
                [*named, *(each.result.cell.framework for each in measured if not each.result.cell.is_floor)]
            ),
            floors=floors(measured),
            group_floors={aim: group_floors(measured, aim, by_rounds=True) for aim in Aim},
            latency_floors=group_floors(measured, Aim.LATENCY),
            controls=tuple(each for each in measured if is_control(each)),
        )

    def ranking(self, cells: Sequence[Measured], aim: Aim) -> Ranking:
        """What is proved of cells under one limit."""
        return rank_cells(cells, aim, self.floor(cells, aim))

    def floor(self, cells: Sequence[Measured], aim: Aim) -> Floor | None:
        """The smallest difference that counts among cells under one limit."""
        return self.group_floors[aim].get(cells[0].result.cell_id) if cells else None

    def least(self, groups: Iterable[LimitGroup]) -> float:
        """The smallest difference of latency that counts across limits, a logarithm; where it is unknown, none does."""
        floors = [self.latency_floors.get(each.result.cell_id) for group in groups for each in group.ok[:1]]
        return max((floor.log_ratio for floor in floors if floor is not None), default=math.inf)

    def timer(self, workload: WorkloadKey) -> Measured | None:
        """The cell that computes nothing, of one workload."""
        return next(
            (
                each
                for each in self.controls
                if each.ok and each.result.cell.is_floor and each.result.cell.workload == workload
            ),
            None,
        )

    def name(self, measured: Measured) -> str:
        """A cell's framework, cut where somebody made it endless."""
        return clip(measured.result.cell.framework, NAME_LIMIT)

    def slot(self, measured: Measured) -> int:
        """The place of a cell's framework in the palette."""
        return self.slots[measured.result.cell.framework]

    def ending(self, measured: Measured) -> Ending:
        """How a cell ended."""
        return ending(measured.result)

    def row(
        self,
        measured: Measured,
        figure: str = UNKNOWN,
        *,
        dot: Dot | None = None,
        bars: tuple[Bar, ...] = (),
        failed: bool = False,
    ) -> Row:
        """A chart's row for a cell; without marks where its figure is unknown."""
        return Row(self.name(measured), self.slot(measured), figure, dot=dot, bars=bars, failed=failed)


def is_control(measured: Measured) -> bool:
    """Whether a cell is measured to judge the others by."""
    return measured.result.cell.is_floor or measured.result.cell.twin
